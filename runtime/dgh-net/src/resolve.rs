//! Names to addresses, checked. The connection is made to the very addresses that were checked
//! here: a name that answers differently a moment later (DNS rebinding) is never asked again for it.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::error::{NetError, NetErrorKind};
use crate::policy::Policy;

/// Looks a host name up. The system's resolver, or one of a test.
pub trait Lookup: Send + Sync {
    /// All addresses of a host.
    fn lookup(&self, host: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>>;
}

/// The resolver of the system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemLookup;

impl Lookup for SystemLookup {
    fn lookup(&self, host: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        let host = host.to_owned();
        async move { Ok(tokio::net::lookup_host((host, 0)).await?.map(|a| a.ip()).collect()) }.boxed()
    }
}

/// The resolver that the HTTP client connects through.
pub(crate) struct Guard {
    pub(crate) policy: Arc<Policy>,
    pub(crate) lookup: Arc<dyn Lookup>,
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let (policy, lookup) = (Arc::clone(&self.policy), Arc::clone(&self.lookup));
        async move {
            let addresses = checked(&policy, lookup.as_ref(), name.as_str()).await?;
            let sockets: Addrs = Box::new(addresses.into_iter().map(|a| SocketAddr::new(a, 0)));
            Ok(sockets)
        }
        .boxed()
    }
}

/// The addresses of a name, all of them allowed.
pub(crate) async fn checked(
    policy: &Policy,
    lookup: &dyn Lookup,
    host: &str,
) -> Result<Vec<IpAddr>, NetError> {
    let addresses = lookup.lookup(host).await.map_err(|_| unknown(host))?;
    if addresses.is_empty() {
        return Err(unknown(host));
    }
    // One forbidden address refuses the name: a mixed answer is how rebinding starts.
    for address in &addresses {
        policy.check(host, *address)?;
    }
    Ok(addresses)
}

fn unknown(host: &str) -> NetError {
    NetError::new(NetErrorKind::Network, format!("the name `{host}` has no address"))
}
