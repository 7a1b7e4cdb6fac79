//! Which request is which, by openapi.yaml's paths.

mod query;

pub use query::{ChangesQuery, RecordQuery};

use super::Request;
use crate::policy::{ChangeId, InstanceName, Scope, percent_decoded};
use query::Query;

/// What a request asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// `POST /policy-changes`
    Submit {
        /// `?dryRun=true`
        dry_run: bool,
    },
    /// `PATCH /instances/{instanceId}/attachment-policies/{scope}`
    Patch {
        /// The path's instance.
        instance: InstanceName,
        /// The path's scope.
        scope: Scope,
        /// `?dryRun=true`
        dry_run: bool,
    },
    /// `GET /instances/{instanceId}/attachment-policies[/{scope}]`
    Read(InstanceName, Option<Scope>),
    /// `GET /policy-changes`
    Changes(ChangesQuery),
    /// `GET /policy-changes/{changeId}`
    Record(ChangeId, RecordQuery),
    /// `GET /instances/{instanceId}/attachment-policies/{scope}/history`
    History(InstanceName, Scope, Option<String>),
    /// `POST /instances/{instanceId}/attachment-policies/{scope}/restore`
    Restore {
        /// The path's instance.
        instance: InstanceName,
        /// The path's scope.
        scope: Scope,
        /// `?dryRun=true`
        dry_run: bool,
    },
    /// `DELETE /instances/{instanceId}/attachment-policies/{scope}/declaration`
    Release(InstanceName, Scope),
    /// `POST /policy-changes/{changeId}/undo`
    Undo {
        /// The change to undo.
        change: ChangeId,
        /// `?dryRun=true`
        dry_run: bool,
    },
    /// `POST /policy-changes/{changeId}/apply`
    Apply(ChangeId),
    /// `POST /policy-changes/{changeId}/cancel`
    Cancel(ChangeId),
    /// `GET /freeze`
    Frozen,
    /// `PUT /freeze`
    Freeze,
    /// `DELETE /freeze`
    Thaw,
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

/// A path's route before its method and its query are known.
enum Path {
    Changes,
    Record(ChangeId),
    Undo(ChangeId),
    Apply(ChangeId),
    Cancel(ChangeId),
    Freeze,
    Policies(InstanceName),
    Policy(InstanceName, Scope),
    History(InstanceName, Scope),
    Restore(InstanceName, Scope),
    Declaration(InstanceName, Scope),
}

/// What a path's last part asks of a target, and what it is called there.
type OfTarget = (&'static str, fn(InstanceName, Scope) -> Path);

/// Those that need the ledger.
const OF_TARGET: [OfTarget; 3] =
    [("/history", Path::History), ("/restore", Path::Restore), ("/declaration", Path::Declaration)];

/// The request's route. Without a ledger, the paths that need one do not exist.
///
/// The path is tried as it is and then without its stage, so that a stage may have any name.
///
/// # Errors
/// No such path, method or query.
pub fn of(request: &Request, is_governed: bool) -> Result<Route, NoRoute> {
    let stripped = request.stage.as_ref().and_then(|stage| {
        let rest = request.path.strip_prefix('/')?.strip_prefix(stage.as_str())?;
        rest.starts_with('/').then_some(rest)
    });
    let path = match (by_path(&request.path, is_governed), stripped) {
        (Err(NoRoute::NotFound(_)), Some(stripped)) => by_path(stripped, is_governed),
        (path, _) => path,
    }?;
    by_method(path, &request.method, &request.query, is_governed)
}

fn by_path(path: &str, is_governed: bool) -> Result<Path, NoRoute> {
    let path = path.strip_suffix('/').unwrap_or(path);
    let not_found = || NoRoute::NotFound("the path does not exist".to_owned());
    if path == "/policy-changes" {
        return Ok(Path::Changes);
    }
    if is_governed && path == "/freeze" {
        return Ok(Path::Freeze);
    }
    if let Some(record) = path.strip_prefix("/policy-changes/").filter(|_| is_governed) {
        return of_record(record)
            .ok_or_else(|| NoRoute::NotFound("the path does not have a valid change id".to_owned()));
    }
    let rest = path.strip_prefix("/instances/").ok_or_else(not_found)?;
    // an ARN that API Gateway has decoded contains slashes, so split at the last marker
    let (instance, rest) = rest.rsplit_once("/attachment-policies").ok_or_else(not_found)?;
    let instance = InstanceName::parse(instance).ok_or_else(|| {
        NoRoute::NotFound(
            "the path does not have a valid instance: use an id (a UUID) or an instance ARN".to_owned(),
        )
    })?;
    if rest.is_empty() {
        return Ok(Path::Policies(instance));
    }
    let scope = rest.strip_prefix('/').ok_or_else(not_found)?;
    let of_target = OF_TARGET.iter().filter(|_| is_governed);
    let mut of_target = of_target.filter_map(|(part, path)| Some((scope.strip_suffix(part)?, *path)));
    let (scope, path) = of_target.next().unwrap_or((scope, Path::Policy));
    let scope = percent_decoded(scope).and_then(|scope| Scope::parse(&scope)).ok_or_else(|| {
        NoRoute::NotFound("the path does not have a valid scope: use EMAIL, CHAT, CASE or TASK".to_owned())
    })?;
    Ok(path(instance, scope))
}

/// A change id may have slashes, decoded or not, and no id of a record ends like an action.
fn of_record(rest: &str) -> Option<Path> {
    let rest = percent_decoded(rest)?;
    let id = |id: &str| ChangeId::parse(id).filter(ChangeId::names_a_record);
    let action = |name, path: fn(ChangeId) -> Path| rest.strip_suffix(name).map(|rest| id(rest).map(path));
    action("/undo", Path::Undo)
        .or_else(|| action("/apply", Path::Apply))
        .or_else(|| action("/cancel", Path::Cancel))
        .unwrap_or_else(|| id(&rest).map(Path::Record))
}

fn by_method(
    path: Path,
    method: &str,
    query: &[(String, String)],
    is_governed: bool,
) -> Result<Route, NoRoute> {
    let query = Query(query);
    let not_allowed = |methods| Err(NoRoute::MethodNotAllowed(methods));
    Ok(match (path, method) {
        (Path::Changes, "POST") => Route::Submit { dry_run: query.dry_run()? },
        (Path::Changes, "GET") if is_governed => Route::Changes(query.changes()?),
        (Path::Changes, _) => return not_allowed(if is_governed { "GET, POST" } else { "POST" }),
        (Path::Record(id), "GET") => Route::Record(id, query.record()?),
        (Path::Undo(change), "POST") => Route::Undo { change, dry_run: query.dry_run()? },
        (Path::Apply(id), "POST") => Route::Apply(query.none(id)?),
        (Path::Cancel(id), "POST") => Route::Cancel(query.none(id)?),
        (Path::Restore(instance, scope), "POST") => {
            Route::Restore { instance, scope, dry_run: query.dry_run()? }
        }
        (Path::Undo(_) | Path::Apply(_) | Path::Cancel(_) | Path::Restore(..), _) => {
            return not_allowed("POST");
        }
        (Path::Freeze, "GET") => query.none(Route::Frozen)?,
        (Path::Freeze, "PUT") => query.none(Route::Freeze)?,
        (Path::Freeze, "DELETE") => query.none(Route::Thaw)?,
        (Path::Freeze, _) => return not_allowed("GET, PUT, DELETE"),
        (Path::Policies(instance), "GET") => query.none(Route::Read(instance, None))?,
        (Path::Policy(instance, scope), "GET") => query.none(Route::Read(instance, Some(scope)))?,
        (Path::Policy(instance, scope), "PATCH") => {
            Route::Patch { instance, scope, dry_run: query.dry_run()? }
        }
        (Path::Policy(..), _) => return not_allowed("GET, PATCH"),
        (Path::History(instance, scope), "GET") => Route::History(instance, scope, query.next_token()?),
        (Path::Declaration(instance, scope), "DELETE") => query.none(Route::Release(instance, scope))?,
        (Path::Declaration(..), _) => return not_allowed("DELETE"),
        (Path::Record(_) | Path::Policies(_) | Path::History(..), _) => return not_allowed("GET"),
    })
}
