//! A change and its newest run. An earlier run is the same item under another sort key.

use super::super::LedgerError;
use super::super::answer::Glance;
use super::super::item::{Draft, Fields, Item, flag, number, text, texts};
use super::super::keys::{Key, change_of, listed, owed};
use super::declaration;
use super::origin::{origin_of, with_origin};
use super::run::{halt_of, holder_of, plan_of, with_plan};
use super::values::{counts, counts_map, some_change, some_time, time};
use super::{TTL, expires};
use aws_sdk_dynamodb::types::AttributeValue;
use policy_core::policy::{ChangeId, Violation, ViolationCode};
use policy_core::record::{
    ChangeRecord, Listed, Millis, Mode, Order, Position, RecordStatus, Relations, RunKey,
};

/// The two ways to carry out a run, by name.
pub(in super::super) const fn mode(mode: Mode) -> &'static str {
    match mode {
        Mode::Inline => "inline",
        Mode::Lanes => "lanes",
    }
}

/// The newest run, in the list of changes, and owed at `due` if somebody has to come back to it.
pub(in super::super) fn encode(record: &ChangeRecord, expires: AttributeValue, due: Option<Millis>) -> Item {
    let at = Position::Listed { at: record.submitted, change_id: record.change_id.clone() }.key();
    let draft = draft(Key::change(&record.change_id), record)
        .with("list", text(listed(record.submitted, &record.change_id)))
        .with("at", text(at))
        .with_some("owed", due.map(|_| text(owed(&record.change_id))))
        .with_some("due", due.map(time));
    let expires = record.status.is_final().then_some(expires);
    draft.with_some(TTL, expires).done()
}

/// A run that a newer one follows: nobody lists it. Somebody comes back to it at `due` if it still owes its event.
pub(in super::super) fn encode_earlier(
    record: &ChangeRecord,
    expires: AttributeValue,
    due: Option<Millis>,
) -> Item {
    draft(Key::earlier_run(&record.change_id, record.run), record)
        .with_some("owed", due.map(|_| text(owed(&record.change_id))))
        .with_some("due", due.map(time))
        .with(TTL, expires)
        .done()
}

fn draft(key: Key, record: &ChangeRecord) -> Draft {
    let relations = &record.relations;
    let draft = Draft::of(key)
        .with("kind", text("change"))
        .with("token", text(&record.token))
        .with("hash", text(&record.hash))
        .with("chosen", flag(record.chosen))
        .with("batch", flag(record.is_batch))
        .with("dry", flag(record.dry_run))
        .with_flag("check", record.checks_drift)
        .with("run", number(record.run))
        .with("key", text(record.key))
        .with("order", text(&record.order))
        .with("first", time(record.first))
        .with("status", text(record.status))
        .with("mode", text(mode(record.mode)))
        .with("submitted", time(record.submitted))
        .with_some("started", record.started.map(time))
        .with_some("finished", record.finished.map(time))
        .with_some("reason", record.reason.as_ref().map(text))
        .with_some("by", record.requested_by.as_ref().map(text))
        .with("lanes", number(record.lanes))
        .with_flag("sent", record.sent)
        .with("lanes_done", number(record.lanes_done))
        .with("targets", number(record.targets))
        .with("counts", counts_map(&record.counts))
        .with_some("failures", record.stop_after.map(|_| number(record.failures)))
        .with_some("stop_after", record.stop_after.map(number))
        .with_some("halt", record.halt.as_ref().map(super::run::halt))
        .with_some("holder", record.holder.as_ref().map(super::run::holder))
        .with_some("plan_hash", record.plan_hash.as_ref().map(text))
        .with_some("undoes", relations.undoes.as_ref().map(text))
        .with_some("undone_by", relations.undone_by.as_ref().map(text))
        .with_some("applies", relations.applies.as_ref().map(text))
        .with_some("applied_by", relations.applied_by.as_ref().map(text))
        .with_some("declared", record.declared.as_ref().map(declaration::encode_declared))
        .with_some("left", left(record))
        .with_some("replays", texts(record.replays.iter().map(String::as_str)))
        .with_some("violations", violations(&record.violations))
        .with_flag("announce", record.announce);
    with_plan(with_origin(draft, &record.origin), &record.plan)
}

fn left(record: &ChangeRecord) -> Option<AttributeValue> {
    record.declared.as_ref().filter(|declared| declared.left > 0).map(|declared| number(declared.left))
}

fn violations(violations: &[Violation]) -> Option<AttributeValue> {
    let map = |violation: &Violation| {
        Draft::default()
            .with("pointer", text(&violation.pointer))
            .with("code", text(violation.code))
            .with("message", text(&violation.message))
            .into_map()
    };
    (!violations.is_empty()).then(|| AttributeValue::L(violations.iter().map(map).collect()))
}

fn violation_of(fields: &Fields<'_>) -> Result<Violation, LedgerError> {
    let named = |name: &str| ViolationCode::ALL.iter().copied().find(|code| code.name() == name);
    Ok(Violation {
        pointer: fields.text("pointer")?.to_owned(),
        code: fields.parsed("code", named)?,
        message: fields.text("message")?.to_owned(),
    })
}

fn status(fields: &Fields<'_>) -> Result<RecordStatus, LedgerError> {
    fields.parsed("status", |name| RecordStatus::ALL.iter().copied().find(|status| status.name() == name))
}

pub(in super::super) fn decode(item: &Item) -> Result<ChangeRecord, LedgerError> {
    let fields = Fields::of(item);
    let mode_of = |name: &str| [Mode::Inline, Mode::Lanes].into_iter().find(|known| mode(*known) == name);
    Ok(ChangeRecord {
        change_id: fields.parsed("pk", change_of)?,
        token: fields.text("token")?.to_owned(),
        hash: fields.text("hash")?.to_owned(),
        chosen: fields.flag("chosen")?,
        is_batch: fields.flag("batch")?,
        dry_run: fields.flag("dry")?,
        checks_drift: fields.flag("check")?,
        run: fields.number("run")?,
        key: fields.parsed("key", RunKey::parse)?,
        order: fields.parsed("order", Order::parse)?,
        first: Millis(fields.number("first")?),
        status: status(&fields)?,
        mode: fields.parsed("mode", mode_of)?,
        submitted: Millis(fields.number("submitted")?),
        started: some_time(&fields, "started")?,
        finished: some_time(&fields, "finished")?,
        origin: origin_of(&fields)?,
        reason: fields.owned("reason")?,
        requested_by: fields.owned("by")?,
        plan: plan_of(&fields)?,
        lanes: fields.count("lanes")?,
        sent: fields.flag("sent")?,
        lanes_done: fields.count("lanes_done")?,
        targets: fields.count("targets")?,
        counts: counts(&fields)?,
        failures: fields.count("failures")?,
        stop_after: fields.some_number("stop_after")?,
        halt: halt_of(&fields)?,
        holder: holder_of(&fields)?,
        plan_hash: fields.owned("plan_hash")?,
        relations: relations(&fields)?,
        declared: declaration::declared_of(&fields)?,
        replays: fields.texts("replays")?.iter().cloned().collect(),
        violations: fields.maps("violations")?.iter().map(violation_of).collect::<Result<_, _>>()?,
        announce: fields.flag("announce")?,
        expires: expires(&fields)?,
    })
}

fn relations(fields: &Fields<'_>) -> Result<Relations, LedgerError> {
    Ok(Relations {
        undoes: some_change(fields, "undoes")?,
        undone_by: some_change(fields, "undone_by")?,
        applies: some_change(fields, "applies")?,
        applied_by: some_change(fields, "applied_by")?,
    })
}

/// What a worker asks between two targets.
pub(in super::super) fn decode_glance(item: &Item) -> Result<Glance, LedgerError> {
    let fields = Fields::of(item);
    Ok(Glance {
        key: fields.parsed("key", RunKey::parse)?,
        status: status(&fields)?,
        halt: halt_of(&fields)?,
        failures: fields.count("failures")?,
        stop_after: fields.some_number("stop_after")?,
    })
}

/// From the index, which has less.
pub(in super::super) fn decode_listed(item: &Item) -> Result<Listed, LedgerError> {
    let fields = Fields::of(item);
    let change_id: ChangeId = fields.parsed("pk", change_of)?;
    Ok(Listed {
        run: fields.number("run")?,
        dry_run: fields.flag("dry")?,
        status: status(&fields)?,
        submitted: fields.parsed("at", |at| Millis::parse(at.split_once('#')?.0))?,
        started: some_time(&fields, "started")?,
        finished: some_time(&fields, "finished")?,
        origin: origin_of(&fields)?,
        reason: fields.owned("reason")?,
        requested_by: fields.owned("by")?,
        targets: fields.count("targets")?,
        counts: counts(&fields)?,
        undoes: some_change(&fields, "undoes")?,
        undone_by: some_change(&fields, "undone_by")?,
        change_id,
    })
}
