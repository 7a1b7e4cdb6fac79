//! What `serve` and `connect` print when everything listens.

use crate::palette::Palette;
use sandbox::connect::Connect;
use sandbox::governed::{CHANGE_QUEUE, Governed, INTAKE_QUEUE, PARKED_QUEUE};
use std::io::{self, Write};

/// At most so many instances are listed.
const NAMED: usize = 5;

/// What clients of AWS need besides an endpoint.
const ANYBODY: &str = "AWS_ACCESS_KEY_ID=any AWS_SECRET_ACCESS_KEY=any AWS_REGION=us-east-1";

/// The functions that are served.
pub(super) struct Functions<'served> {
    pub url: String,
    pub invoke: String,
    pub governed: Option<&'served Governed>,
}

/// Prints what is served, where, and what to try.
///
/// The first lines are for programs too, and do not change: a name, two spaces or more, a URL
/// (`^Lambda Invoke +(http://.+)$`); without a terminal there is no colour in them.
pub(super) fn welcome(
    output: &mut impl Write,
    connect: &Connect,
    functions: Option<&Functions<'_>>,
) -> io::Result<()> {
    let palette = Palette::of(&io::stdout());
    let governed = functions.and_then(|functions| functions.governed);
    let mut services = vec![("Amazon Connect", connect.url())];
    if let Some(functions) = functions {
        services.push(("Function URL", functions.url.clone()));
        services.push(("Lambda Invoke", functions.invoke.clone()));
    }
    if let Some(governed) = governed {
        services.push(("DynamoDB", governed.ledger().url()));
        services.push(("Amazon SQS", governed.queues().url()));
    }
    for (name, url) in services {
        writeln!(output, "{}{}  {url}", palette.bold(name), " ".repeat(14 - name.len()))?;
    }
    let id = instances(output, connect, palette)?;
    if let Some(governed) = governed {
        stack(output, governed, palette)?;
    }
    if let Some(functions) = functions {
        changes(output, functions, &id, palette)?;
    }
    section(
        output,
        palette,
        "Ask Amazon Connect",
        &format!(
            "  {ANYBODY} \\\n    aws connect list-attached-files-configurations \\\n    \
             --endpoint-url {} --instance-id {id}",
            connect.url()
        ),
    )?;
    if let Some(functions) = functions {
        invocations(output, functions, palette)?;
    }
    let what = if governed.is_some() {
        "call of Amazon Connect and each delivery"
    } else {
        "call of Amazon Connect"
    };
    let last = format!("Each {what} is printed below, with its time in UTC. Ctrl-C ends the sandbox.");
    writeln!(output, "\n{}\n", palette.dim(last))?;
    output.flush()
}

/// The first instances; the id of the first one.
fn instances(output: &mut impl Write, connect: &Connect, palette: Palette) -> io::Result<String> {
    let instances = connect.instances();
    writeln!(output, "\n{}", palette.bold("Instances"))?;
    for instance in instances.iter().take(NAMED) {
        writeln!(output, "  {}  {}", instance.id, palette.dim(&instance.alias))?;
    }
    if instances.len() > NAMED {
        writeln!(output, "  and {} more", instances.len() - NAMED)?;
    }
    Ok(instances.first().map(|instance| instance.id.clone()).unwrap_or_default())
}

/// The table, the queues and the functions, by name.
fn stack(output: &mut impl Write, governed: &Governed, palette: Palette) -> io::Result<()> {
    writeln!(output, "\n{}", palette.bold("Table"))?;
    writeln!(output, "  {}", governed.ledger().table())?;
    writeln!(output, "\n{}", palette.bold("Queues"))?;
    for (queue, what) in [
        (INTAKE_QUEUE, "documents to be recorded"),
        (CHANGE_QUEUE, "a message for each lane of a change"),
        (PARKED_QUEUE, "events for a person"),
    ] {
        writeln!(output, "  {}  {}", governed.queues().queue_url(queue), palette.dim(what))?;
    }
    writeln!(output, "\n{}", palette.bold("Functions"))?;
    for fleet in [governed.api(), governed.intake().fleet(), governed.workers().fleet(), governed.sweep()] {
        writeln!(output, "  {}", fleet.launch().name())?;
    }
    Ok(())
}

/// Changes to send, and what becomes of them.
fn changes(output: &mut impl Write, functions: &Functions<'_>, id: &str, palette: Palette) -> io::Result<()> {
    let url = &functions.url;
    let curl = |document: &str| {
        format!("  curl -sS {url}/policy-changes -H 'Content-Type: application/json' \\\n    -d '{document}'")
    };
    let change = format!(
        r#"{{"instanceId": "{id}", "attachmentScope": "CHAT", "maximumSize": "10 MB", "allowedExtensions": ["pdf", "png"]}}"#
    );
    let refused = format!(r#"{{"instanceId": "{id}", "attachmentScope": "EMAIL", "maximumSize": "50 MB"}}"#);
    section(output, palette, "Change a policy", &curl(&change))?;
    section(output, palette, "See a change refused", &curl(&refused))?;
    if let Some(governed) = functions.governed {
        section(
            output,
            palette,
            "See every change, newest first",
            &format!("  curl -sS {url}/policy-changes"),
        )?;
        let everywhere = r#"{"instanceId": "*", "attachmentScope": "*", "maximumSize": "8 MB"}"#;
        let send = format!(
            "  {ANYBODY} \\\n    aws sqs send-message --endpoint-url {} \\\n    --queue-url {} \\\n    \
             --message-group-id intake --message-body '{everywhere}'",
            governed.queues().url(),
            governed.queues().queue_url(INTAKE_QUEUE)
        );
        section(output, palette, "Send a change to the queue", &send)?;
        let scan = format!(
            "  {ANYBODY} \\\n    aws dynamodb scan --endpoint-url {} --table-name {}",
            governed.ledger().url(),
            governed.ledger().table()
        );
        section(output, palette, "See what the table holds", &scan)?;
    }
    Ok(())
}

/// How to send a function any event.
fn invocations(output: &mut impl Write, functions: &Functions<'_>, palette: Palette) -> io::Result<()> {
    let invoke = &functions.invoke;
    let aws = |name: &str, payload: &str| {
        format!(
            "  {ANYBODY} \\\n    aws lambda invoke --function-name {name} \\\n    --payload {payload} \\\n    \
             --endpoint-url {invoke} /dev/stdout"
        )
    };
    let bare = "fileb://events/bare.succeeded.json";
    let sqs = "fileb://events/sqs.succeeded.json";
    match functions.governed {
        None => {
            let command = aws("connect-attachment-policy", sqs);
            section(output, palette, "Invoke the function with any event", &command)
        }
        Some(governed) => {
            let name = |fleet: &sandbox::lambda::Fleet| fleet.launch().name().to_owned();
            let command = format!(
                "{}\n{}",
                aws(&name(governed.api()), bare),
                aws(&name(governed.intake().fleet()), sqs)
            );
            section(output, palette, "Invoke a function with any event", &command)
        }
    }
}

fn section(output: &mut impl Write, palette: Palette, title: &str, text: &str) -> io::Result<()> {
    writeln!(output, "\n{}\n{text}", palette.bold(title))
}
