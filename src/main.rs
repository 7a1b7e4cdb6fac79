//! The Lambda bootstrap: settings, telemetry, clients, run.

use connect_attachment_policy::start;
use connect_attachment_policy::telemetry::{self, LogLevel, LogPipe};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let environment = |name: &str| std::env::var(name).ok();
    let pipe = LogPipe::stdout()?;
    let level = LogLevel::read(&environment);
    telemetry::start(pipe.clone(), level, &environment);
    let handler = match start::handler(pipe, level, &environment).await {
        Ok(handler) => handler,
        Err(wrong) => {
            tracing::error!(%wrong, "the function does not start");
            return Err(wrong.into());
        }
    };
    let handler = &handler;
    run(service_fn(|event: LambdaEvent<_>| Box::pin(handler.handle(event)))).await
}
