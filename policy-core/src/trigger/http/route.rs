//! Which request is which, by openapi.yaml's paths.

use super::Request;
use crate::policy::{InstanceName, Scope, percent_decoded};

/// What a request asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// `POST /policy-changes`
    Submit,
    /// `PATCH /instances/{instanceId}/attachment-policies/{scope}`
    Patch(InstanceName, Scope),
    /// `GET /instances/{instanceId}/attachment-policies[/{scope}]`
    Read(InstanceName, Option<Scope>),
}

/// Why there is no route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoRoute {
    /// 404: an unknown path, or one with an invalid instance or scope.
    NotFound(String),
    /// 405: the path supports only these methods (the `Allow` header).
    MethodNotAllowed(&'static str),
    /// 400: an unknown query parameter, or one that this route does not support.
    Query(String),
}

/// The request's route and whether its query asks for a dry run.
///
/// The path is tried as it is and then without its stage, so that a stage may have any name.
///
/// # Errors
/// No such path, method or query.
pub fn of(request: &Request) -> Result<(Route, bool), NoRoute> {
    let stripped = request.stage.as_ref().and_then(|stage| {
        let rest = request.path.strip_prefix('/')?.strip_prefix(stage.as_str())?;
        rest.starts_with('/').then_some(rest)
    });
    let route = match (by_path(&request.path, &request.method), stripped) {
        (Err(NoRoute::NotFound(_)), Some(stripped)) => by_path(stripped, &request.method),
        (route, _) => route,
    }?;
    let dry_run = query(request, &route)?;
    Ok((route, dry_run))
}

fn by_path(path: &str, method: &str) -> Result<Route, NoRoute> {
    let path = path.strip_suffix('/').unwrap_or(path);
    if path == "/policy-changes" {
        return if method == "POST" { Ok(Route::Submit) } else { Err(NoRoute::MethodNotAllowed("POST")) };
    }
    let not_found = || NoRoute::NotFound("the path does not exist".to_owned());
    let rest = path.strip_prefix("/instances/").ok_or_else(not_found)?;
    // an ARN that API Gateway has decoded contains slashes, so split at the last marker
    let (instance, rest) = rest.rsplit_once("/attachment-policies").ok_or_else(not_found)?;
    let instance = InstanceName::parse(instance).ok_or_else(|| {
        NoRoute::NotFound(
            "the path does not have a valid instance: use an id (a UUID) or an instance ARN".to_owned(),
        )
    })?;
    if rest.is_empty() {
        return match method {
            "GET" => Ok(Route::Read(instance, None)),
            _ => Err(NoRoute::MethodNotAllowed("GET")),
        };
    }
    let scope = rest.strip_prefix('/').ok_or_else(not_found)?;
    let scope = percent_decoded(scope).and_then(|scope| Scope::parse(&scope)).ok_or_else(|| {
        NoRoute::NotFound("the path does not have a valid scope: use EMAIL, CHAT, CASE or TASK".to_owned())
    })?;
    match method {
        "GET" => Ok(Route::Read(instance, Some(scope))),
        "PATCH" => Ok(Route::Patch(instance, scope)),
        _ => Err(NoRoute::MethodNotAllowed("GET, PATCH")),
    }
}

/// `dryRun=true` on the writes, and nothing else: a misspelt dry run must not change anything.
fn query(request: &Request, route: &Route) -> Result<bool, NoRoute> {
    let mut dry_run = None;
    for (name, value) in &request.query {
        let writes = !matches!(route, Route::Read(..));
        match (name.as_str(), value.as_str()) {
            ("dryRun", "true" | "false") if writes && dry_run.is_none() => dry_run = Some(value == "true"),
            ("dryRun", _) if writes => {
                return Err(NoRoute::Query(
                    "query parameter `dryRun` must be `true` or `false`, and appear only once".to_owned(),
                ));
            }
            _ => {
                let name: String = name.chars().take(40).collect();
                let known =
                    if writes { "only `dryRun` is supported" } else { "this path has no query parameters" };
                return Err(NoRoute::Query(format!("unknown query parameter `{name}`: {known}")));
            }
        }
    }
    Ok(dry_run.unwrap_or(false))
}
