//! The agent that is called: it asks, listens, and asks again until the caller hangs up.

use std::path::Path;

use anyhow::Context as _;

/// A folder that is removed when it is no longer needed.
pub(crate) struct Folder(std::path::PathBuf);

impl Folder {
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Writes the agent, with providers on this port.
pub(crate) fn folder(port: u16) -> anyhow::Result<Folder> {
    let path = std::env::temp_dir().join(format!("dgh-bench-{}", std::process::id()));
    std::fs::create_dir_all(&path).context("no temporary folder")?;
    let agent = format!(
        r#"dgh 1

agent bench {{
  prompt "You are the bench. Answer at once."
  outcome done
  llm: openai_compatible("stub", url: "http://127.0.0.1:{port}/v1")
  stt: deepgram("nova-3", url: "ws://127.0.0.1:{port}/v1/listen")
  tts: cartesia("sonic-2", voice: "stub", url: "ws://127.0.0.1:{port}")
  limits {{ duration: 2h turns: 100000 }}
  start talk
  node talk {{
    ask "Good morning, this is the bench, and it goes on talking for a while so that somebody can talk over it. What can I do for you?"
    when bye: "They want to end the call" -> end done {{ say "Goodbye." }}
    on silence(60s) -> end done {{ say "Goodbye." }}
  }}
}}
"#
    );
    std::fs::write(path.join("agent.dgh"), agent)?;
    let manifest = "[profiles.default]\nallow_private = [\"127.0.0.1\"]\n\n[profiles.default.secrets]\n\
                    DEEPGRAM_API_KEY = \"env:BENCH_KEY\"\nCARTESIA_API_KEY = \"env:BENCH_KEY\"\n";
    std::fs::write(path.join("dgh.toml"), manifest)?;
    Ok(Folder(path))
}
