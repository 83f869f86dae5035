//! Who asks. Handlers of `/api/v1` take a [`Who`] and say first what it needs:
//!
//! ```ignore
//! who.needs(Role::Editor, Scope::AgentsWrite)?;
//! ```
//!
//! The same two words stand in the `security` of the route's `#[utoipa::path]`; a test holds both
//! together. A session comes with a cookie, which a browser also sends for pages of others: so
//! whatever changes something must come from a page of ours (CSRF).

use std::sync::Arc;

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use dgh_platform::access::{self, Identity, Presented, Role, Scope, Scopes};
use dgh_store::audit::Actor;
use dgh_store::{ApiKeyId, OrgId, SessionId, UserId};

use super::caller::Caller;
use super::cookie;
use super::problem::Problem;
use crate::app::App;
use crate::guard;

/// Who asks, and for which organisation.
#[derive(Debug, Clone)]
pub(crate) struct Who {
    /// Whose things they may see. Goes into every question to the store.
    pub(crate) org: OrgId,
    /// The person, of a session.
    pub(crate) user: Option<UserId>,
    /// The key.
    pub(crate) key: Option<ApiKeyId>,
    /// The session.
    pub(crate) session: Option<SessionId>,
    /// What they may do.
    pub(crate) role: Role,
    /// And with which parts.
    pub(crate) scopes: Scopes,
    /// From where.
    pub(crate) address: Option<String>,
}

impl Who {
    /// Refuses whoever has less than this role, and keys without this scope.
    pub(crate) fn needs(&self, role: Role, scope: Scope) -> Result<(), Problem> {
        if self.role < role {
            let detail = format!("this takes the role `{role}`, and you have `{}`", self.role);
            return Err(Problem::forbidden("role", detail)
                .hint("Ask an owner of the organisation, or use another key."));
        }
        if !self.scopes.has(scope) {
            let detail = format!("this takes the scope `{scope}`, which the key does not have");
            return Err(Problem::forbidden("scope", detail).hint("Make a key that has it."));
        }
        Ok(())
    }

    /// The person: what belongs to a person no key may touch.
    pub(crate) fn person(&self) -> Result<(&UserId, &SessionId), Problem> {
        match (&self.user, &self.session) {
            (Some(user), Some(session)) => Ok((user, session)),
            _ => Err(Problem::forbidden("not_a_person", "a key is no person; this takes a session")
                .hint("Sign in at /login.")),
        }
    }

    /// As the audit log names them.
    pub(crate) fn actor(&self) -> Actor {
        Actor { user: self.user.clone(), key: self.key.clone(), address: self.address.clone() }
    }

    /// As the platform knows them.
    pub(crate) fn identity(&self) -> Identity {
        Identity {
            org: self.org.clone(),
            user: self.user.clone(),
            key: self.key.clone(),
            session: self.session.clone(),
            role: self.role,
            scopes: self.scopes,
        }
    }

    pub(super) fn new(identity: Identity, caller: &Caller) -> Self {
        let Identity { org, user, key, session, role, scopes } = identity;
        Self { org, user, key, session, role, scopes, address: caller.text() }
    }
}

impl FromRequestParts<Arc<App>> for Who {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        ask(parts, app).await
    }
}

/// Nobody when nothing is shown, or what is shown is no good; but never somebody half.
impl OptionalFromRequestParts<Arc<App>> for Who {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Option<Self>, Problem> {
        match ask(parts, app).await {
            Ok(who) => Ok(Some(who)),
            Err(problem) if problem.status() == axum::http::StatusCode::UNAUTHORIZED => Ok(None),
            Err(problem) => Err(problem),
        }
    }
}

/// Who sent this request.
pub(crate) async fn ask(parts: &Parts, app: &App) -> Result<Who, Problem> {
    let caller = Caller::of(parts, app);
    let Some(shown) = shown(&parts.headers) else {
        app.limits.stranger(&caller)?;
        return Err(Problem::unauthorized());
    };
    if matches!(shown, Presented::Session(_))
        && !parts.method.is_safe()
        && !guard::is_own_page(&parts.headers, app.settings.public_url.as_ref())
    {
        return Err(Problem::forbidden("foreign_origin", "a page from elsewhere may not do this")
            .hint("With a session, changes are made from a page of this server; programs use a key."));
    }
    let Some(identity) = access::identify(app.db(), shown, app.now()).await? else {
        app.limits.stranger(&caller)?;
        return Err(Problem::unauthorized());
    };
    let who = Who::new(identity, &caller);
    app.limits.known(&who)?;
    Ok(who)
}

/// What a request shows. A header goes before a cookie: who sends one means it.
fn shown(headers: &HeaderMap) -> Option<Presented<'_>> {
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let text = value.to_str().unwrap_or_default();
        let (scheme, key) = text.split_once(' ').unwrap_or((text, ""));
        return Some(Presented::Key(if scheme.eq_ignore_ascii_case("bearer") { key.trim() } else { "" }));
    }
    if let Some(value) = headers.get("x-api-key") {
        return Some(Presented::Key(value.to_str().unwrap_or_default()));
    }
    cookie::session(headers).map(Presented::Session)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn seen(headers: &[(&str, &str)]) -> String {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap());
        }
        match shown(&map) {
            Some(Presented::Key(key)) => format!("key {key}"),
            Some(Presented::Session(token)) => format!("session {token}"),
            None => "nobody".to_owned(),
        }
    }

    #[test]
    fn a_header_goes_before_a_cookie() {
        assert_eq!(seen(&[]), "nobody");
        assert_eq!(seen(&[("authorization", "Bearer dgh_1"), ("cookie", "dgh_session=2")]), "key dgh_1");
        assert_eq!(seen(&[("authorization", "bearer dgh_1")]), "key dgh_1");
        assert_eq!(seen(&[("x-api-key", "dgh_1")]), "key dgh_1");
        assert_eq!(seen(&[("cookie", "a=b; dgh_session=2; c=d")]), "session 2");
        // A scheme that is not ours is no session by the way.
        assert_eq!(seen(&[("authorization", "Basic x"), ("cookie", "dgh_session=2")]), "key ");
    }
}
