//! Why a server has no answer, in our words. The library's own texts hold addresses and bodies.

use std::error::Error;

use rmcp::ServiceError;
use rmcp::service::ClientInitializeError;
use rmcp::transport::DynamicTransportError;
use rmcp::transport::streamable_http_client::StreamableHttpError;

use crate::client;
use crate::error::{NetError, NetErrorKind};
use crate::mcp::endpoint::{Endpoint, Transport};

/// Letters of a server's message that are kept.
const MAX_LETTERS: usize = 300;

/// A session did not open.
pub(super) fn of_start(endpoint: &Endpoint, error: &ClientInitializeError) -> NetError {
    match error {
        ClientInitializeError::TransportError { error, .. } => of_transport(endpoint, error),
        ClientInitializeError::JsonRpcError(said) => answered(endpoint, &said.message),
        ClientInitializeError::ConnectionClosed(_) => closed(endpoint),
        _ => bad(endpoint, "it does not speak MCP"),
    }
}

/// A request failed.
pub(super) fn of_service(endpoint: &Endpoint, error: &ServiceError) -> NetError {
    match error {
        ServiceError::McpError(said) => answered(endpoint, &said.message),
        ServiceError::TransportSend(error) => of_transport(endpoint, error),
        ServiceError::TransportClosed | ServiceError::Cancelled { .. } => closed(endpoint),
        ServiceError::Timeout { .. } => {
            NetError::new(NetErrorKind::Timeout, format!("`{}` did not answer in time", endpoint.name))
        }
        ServiceError::InputRequiredRoundsExceeded { .. } => {
            bad(endpoint, "it asks for input, which there is nobody to give")
        }
        _ => bad(endpoint, "its answer is not one to what was asked"),
    }
}

fn of_transport(endpoint: &Endpoint, error: &DynamicTransportError) -> NetError {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error.error.as_ref());
    while let Some(inner) = cause {
        if let Some(http) = inner.downcast_ref::<StreamableHttpError<reqwest::Error>>() {
            return of_http(endpoint, http);
        }
        if let Some(error) = inner.downcast_ref::<reqwest::Error>() {
            return client::failure(&host(endpoint), error);
        }
        cause = inner.source();
    }
    closed(endpoint)
}

fn of_http(endpoint: &Endpoint, error: &StreamableHttpError<reqwest::Error>) -> NetError {
    let host = host(endpoint);
    let status = |status: u16| NetError {
        status: Some(status),
        ..NetError::new(NetErrorKind::Status, format!("{host} answered {status}"))
    };
    match error {
        StreamableHttpError::Client(error) => match error.status() {
            Some(code) => status(code.as_u16()),
            None => client::failure(&host, error),
        },
        StreamableHttpError::HttpStatus(answer) => status(answer.status),
        StreamableHttpError::AuthRequired(_) => status(401),
        StreamableHttpError::InsufficientScope(_) => status(403),
        StreamableHttpError::SessionExpired => status(404),
        StreamableHttpError::ResponseBodyTooLarge { .. } => {
            NetError::new(NetErrorKind::TooLarge, format!("the answer of {host} is too long"))
        }
        // Begins with "HTTP 302 Found: " and goes on with the body.
        StreamableHttpError::UnexpectedServerResponse(text) => {
            let code = text.strip_prefix("HTTP ").and_then(|t| t.get(..3)).and_then(|t| t.parse().ok());
            match code {
                Some(code @ 300..=399) => NetError {
                    status: Some(code),
                    ..NetError::new(
                        NetErrorKind::Refused,
                        format!("{host} redirects ({code}); redirects are not followed"),
                    )
                },
                Some(code) => status(code),
                None => bad(endpoint, "it does not speak MCP"),
            }
        }
        StreamableHttpError::Io(_)
        | StreamableHttpError::UnexpectedEndOfStream
        | StreamableHttpError::TransportChannelClosed => closed(endpoint),
        StreamableHttpError::ReinitializationFailed(said) => answered(endpoint, &said.message),
        _ => bad(endpoint, "it does not speak MCP"),
    }
}

/// What a server says, without control characters and not endless.
pub(super) fn short(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MAX_LETTERS).collect()
}

fn answered(endpoint: &Endpoint, said: &str) -> NetError {
    NetError::new(NetErrorKind::Status, format!("`{}` refuses: {}", endpoint.name, short(said)))
}

fn bad(endpoint: &Endpoint, what: &str) -> NetError {
    NetError::new(NetErrorKind::BadAnswer, format!("`{}`: {what}", endpoint.name))
}

fn closed(endpoint: &Endpoint) -> NetError {
    let hint = match &endpoint.transport {
        Transport::Process { .. } => "; start its command by hand to see why",
        Transport::Http { .. } => "",
    };
    NetError::new(NetErrorKind::Network, format!("`{}` ended the connection{hint}", endpoint.name))
}

fn host(endpoint: &Endpoint) -> String {
    match &endpoint.transport {
        Transport::Http { url, .. } => client::host_of(url),
        Transport::Process { program, .. } => program.clone(),
    }
}
