//! A network of its own, in which links go up and down without anybody else noticing.

use std::process::{Child, Command, Stdio};

use crate::calls::until;

/// A network namespace. It is gone with the last process in it.
pub(crate) struct Namespace {
    holder: Child,
}

impl Namespace {
    /// One in which this machine has two links: `wifi` with 10.99.0.1, which is up, and `mobile` with
    /// 10.98.0.1, which is not.
    pub(crate) async fn with_two_links() -> Self {
        let own = |process: &str| std::fs::read_link(format!("/proc/{process}/ns/net")).unwrap();
        let mut holder = Command::new("unshare")
            .args(["--net", "sleep", "infinity"])
            .stdin(Stdio::null())
            .spawn()
            .expect("unshare is installed (apt-get install util-linux)");
        let entered = || {
            let ended = holder.try_wait().unwrap();
            assert!(ended.is_none(), "a network namespace needs root (CAP_SYS_ADMIN)");
            (own(&holder.id().to_string()) != own("self")).then_some(())
        };
        until(std::time::Duration::from_secs(30), entered).await.expect("a network namespace");
        let namespace = Self { holder };
        for arguments in [
            "link set lo up",
            "link add wifi type veth peer name wifi-far",
            "link add mobile type veth peer name mobile-far",
            "address add 10.99.0.1/24 dev wifi",
            "address add 10.98.0.1/24 dev mobile",
            "link set wifi-far up",
            "link set mobile-far up",
            "link set wifi up",
        ] {
            let done = namespace.command("ip").args(arguments.split(' ')).status();
            let done = done.expect("ip is installed (apt-get install iproute2; tests/run does it)");
            assert!(done.success(), "ip {arguments}");
        }
        namespace
    }

    /// A program within it.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--net", "--target", &self.holder.id().to_string(), "--", program]);
        command
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}
