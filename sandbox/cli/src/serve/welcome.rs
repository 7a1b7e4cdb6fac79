//! What `serve` and `connect` print when everything listens.

use crate::palette::Palette;
use sandbox::connect::Connect;
use sandbox::governed::{CHANGE_QUEUE, Governed, INTAKE_QUEUE, PARKED_QUEUE, Services};
use std::io::{self, Write};

/// At most so many instances are listed.
const NAMED: usize = 5;

/// What clients of AWS need besides an endpoint.
const ANYBODY: &str = "AWS_ACCESS_KEY_ID=any AWS_SECRET_ACCESS_KEY=any AWS_REGION=us-east-1";

/// Everything that is served.
pub(super) struct Served<'served> {
    pub connect: &'served Connect,
    pub services: Option<&'served Services>,
    pub functions: Option<Functions<'served>>,
}

/// The functions that are served.
pub(super) struct Functions<'served> {
    pub url: String,
    pub invoke: String,
    pub pages: Option<String>,
    pub governed: Option<&'served Governed>,
}

impl Served<'_> {
    /// Prints what is served, where, and what to try.
    ///
    /// The first lines are for programs too, and do not change: a name, two spaces or more, a URL
    /// (`^Lambda Invoke +(http://.+)$`); without a terminal there is no colour in them.
    pub(super) fn welcome(&self, output: &mut impl Write) -> io::Result<()> {
        let palette = Palette::of(&io::stdout());
        let connect_url = self.connect.url();
        let mut addresses = vec![("Amazon Connect", connect_url.clone())];
        if let Some(functions) = &self.functions {
            addresses.push(("Function URL", functions.url.clone()));
            addresses.push(("Lambda Invoke", functions.invoke.clone()));
        }
        if let Some(services) = self.services {
            addresses.push(("DynamoDB", services.ledger.url()));
            addresses.push(("Amazon SQS", services.queues.url()));
            addresses.push(("EventBridge", services.bus.url()));
        }
        if let Some(pages) = self.functions.as_ref().and_then(|functions| functions.pages.clone()) {
            addresses.push(("Pages", pages));
        }
        for (name, url) in addresses {
            writeln!(output, "{}{}  {url}", palette.bold(name), " ".repeat(14 - name.len()))?;
        }
        let id = instances(output, self.connect, palette)?;
        if let Some(services) = self.services {
            stack(output, services, palette)?;
        }
        if let Some(functions) = &self.functions {
            names(output, functions, palette)?;
            changes(output, functions, &id, palette)?;
        }
        if let Some(services) = self.services {
            queue_and_table(output, services, palette)?;
        }
        let ask = format!(
            "  {ANYBODY} \\\n    aws connect list-attached-files-configurations \\\n    \
             --endpoint-url {connect_url} --instance-id {id}"
        );
        section(output, palette, "Ask Amazon Connect", &ask)?;
        if let Some(functions) = &self.functions {
            invocations(output, functions, palette)?;
        }
        if let Some(pages) = self.functions.as_ref().and_then(|functions| functions.pages.as_ref()) {
            // last, where a person looks first
            section(output, palette, "Look at the fleet in a browser", &format!("  {pages}"))?;
        }
        let delivers = self.functions.as_ref().is_some_and(|functions| functions.governed.is_some());
        let deliveries = if delivers { " and each delivery" } else { "" };
        let last = format!(
            "Each call of Amazon Connect{deliveries} is printed below, with its time in UTC. Ctrl-C ends the sandbox."
        );
        writeln!(output, "\n{}\n", palette.dim(last))?;
        output.flush()
    }
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

/// The table and the queues, by name.
fn stack(output: &mut impl Write, services: &Services, palette: Palette) -> io::Result<()> {
    writeln!(output, "\n{}", palette.bold("Table"))?;
    writeln!(output, "  {}", services.ledger.table())?;
    writeln!(output, "\n{}", palette.bold("Queues"))?;
    for (queue, what) in [
        (INTAKE_QUEUE, "documents to be recorded"),
        (CHANGE_QUEUE, "a message for each lane of a change"),
        (PARKED_QUEUE, "events for a person"),
    ] {
        writeln!(output, "  {}  {}", services.queues.queue_url(queue), palette.dim(what))?;
    }
    Ok(())
}

/// The functions, by name.
fn names(output: &mut impl Write, functions: &Functions<'_>, palette: Palette) -> io::Result<()> {
    let Some(governed) = functions.governed else { return Ok(()) };
    writeln!(output, "\n{}", palette.bold("Functions"))?;
    for fleet in [
        governed.api(),
        governed.intake().fleet(),
        governed.workers().fleet(),
        governed.sweep(),
        governed.widget(),
        governed.declare(),
    ] {
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
    if functions.governed.is_some() {
        let every = format!("  curl -sS {url}/policy-changes");
        section(output, palette, "See every change, newest first", &every)?;
    }
    Ok(())
}

/// What to do with the queues and the table.
fn queue_and_table(output: &mut impl Write, services: &Services, palette: Palette) -> io::Result<()> {
    let everywhere = r#"{"instanceId": "*", "attachmentScope": "*", "maximumSize": "8 MB"}"#;
    let send = format!(
        "  {ANYBODY} \\\n    aws sqs send-message --endpoint-url {} \\\n    --queue-url {} \\\n    \
         --message-group-id intake --message-body '{everywhere}'",
        services.queues.url(),
        services.queues.queue_url(INTAKE_QUEUE)
    );
    section(output, palette, "Send a change to the queue", &send)?;
    let scan = format!(
        "  {ANYBODY} \\\n    aws dynamodb scan --endpoint-url {} --table-name {}",
        services.ledger.url(),
        services.ledger.table()
    );
    section(output, palette, "See what the table holds", &scan)
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
