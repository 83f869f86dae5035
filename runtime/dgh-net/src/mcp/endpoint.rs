//! Where an MCP server is, with everything filled in.

use std::collections::HashMap;
use std::time::Duration;

use dgh_ir::request::{self, is_configuration};
use dgh_ir::{Expr, McpServer, Program, Scope};
use reqwest::header::{HeaderName, HeaderValue};
use secrecy::ExposeSecret;
use url::Url;

use crate::error::{NetError, NetErrorKind};
use crate::secrets::Secrets;
use crate::tool::auth::{Credentials, Grant, sensitive};
use crate::tool::refused;
use crate::tool::request::{cannot, credentials, filled};

/// A server that can be connected to.
pub struct Endpoint {
    /// Its name in the program, for messages.
    pub(super) name: String,
    pub(super) transport: Transport,
    pub(super) timeout: Duration,
    /// A token has to be fetched first.
    pub(crate) grant: Option<Grant>,
}

pub(super) enum Transport {
    Http { url: Url, headers: HashMap<HeaderName, HeaderValue> },
    Process { program: String, arguments: Vec<String> },
}

impl Endpoint {
    /// Fills in a server of a program.
    pub fn new(
        program: &Program,
        server: &McpServer,
        facts: &dyn Scope,
        secrets: &dyn Secrets,
    ) -> Result<Self, NetError> {
        let text = |expr: &Expr| match request::words(program, expr, facts).map_err(cannot)? {
            Some(words) => filled(&words, secrets).map(Some),
            None => Ok(None),
        };
        let name = server.name.clone();
        let setup = |message: String| NetError::new(NetErrorKind::Setup, format!("`{name}`: {message}"));
        let mut grant = None;
        let transport = match (&server.url, &server.command) {
            (Some(url), _) => {
                let text = text(url)?.ok_or_else(|| setup("its address is missing".to_owned()))?;
                let mut url = Url::parse(text.expose_secret())
                    .map_err(|_| setup("its address is not one".to_owned()))?;
                let mut headers = HashMap::new();
                let auth = server.auth.as_ref().map(|auth| request::credentials(program, auth, facts));
                let auth = auth.transpose().map_err(cannot)?;
                match auth.as_ref().map(|auth| credentials(auth, secrets)).transpose()? {
                    None => {}
                    Some(Credentials::Header(name, value)) => drop(headers.insert(name, sensitive(&value)?)),
                    Some(Credentials::Query(name, value)) => {
                        url.query_pairs_mut().append_pair(&name, value.expose_secret());
                    }
                    Some(Credentials::Grant(asked)) => grant = Some(asked),
                }
                Transport::Http { url, headers }
            }
            (None, Some(command)) => {
                // A caller's words must never become part of a command.
                if !is_configuration(command) {
                    return Err(refused(format!(
                        "`{name}`: its command may be made of text and `env` alone"
                    )));
                }
                let text = text(command)?.ok_or_else(|| setup("its command is missing".to_owned()))?;
                let mut words = shlex::split(text.expose_secret()).unwrap_or_default().into_iter();
                let program = words.next().ok_or_else(|| {
                    setup("its command is empty, or a quote in it is not closed".to_owned())
                })?;
                Transport::Process { program, arguments: words.collect() }
            }
            (None, None) => return Err(setup("it has neither `url` nor `command`".to_owned())),
        };
        Ok(Self {
            name: server.name.clone(),
            transport,
            timeout: Duration::from_millis(server.timeout_ms),
            grant,
        })
    }

    /// Adds a token that was fetched.
    pub(crate) fn with_token(mut self, token: &secrecy::SecretString) -> Result<Self, NetError> {
        if let Transport::Http { headers, .. } = &mut self.transport {
            let value = format!("Bearer {}", token.expose_secret());
            headers.insert(reqwest::header::AUTHORIZATION, sensitive(&value.into())?);
        }
        Ok(self)
    }

    /// What tells sessions apart: with other credentials it is another one.
    pub(super) fn key(&self) -> String {
        match &self.transport {
            Transport::Http { url, headers } => {
                let mut credentials: Vec<_> = headers
                    .iter()
                    .map(|(n, v)| format!("{n}: {}", String::from_utf8_lossy(v.as_bytes())))
                    .collect();
                credentials.sort();
                format!("{url}\n{}", credentials.join("\n"))
            }
            Transport::Process { program, arguments } => format!("{program}\n{}", arguments.join("\n")),
        }
    }
}
