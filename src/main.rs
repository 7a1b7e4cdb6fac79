//! The Lambda bootstrap: settings, telemetry, clients, run.

use connect_attachment_policy::start;
use connect_attachment_policy::telemetry::{self, LogLevel, LogPipe};
use lambda_runtime::{Error, LambdaEvent, run_concurrent, service_fn};
use std::sync::Arc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let environment = |name: &str| std::env::var(name).ok();
    let pipe = LogPipe::stdout()?;
    let level = LogLevel::read(&environment);
    telemetry::start(pipe.clone(), level, &environment);
    let handler = match start::handler(pipe, level, &environment) {
        Ok(handler) => handler,
        Err(wrong) => {
            tracing::error!(%wrong, "the function could not start");
            return Err(wrong.into());
        }
    };
    handler.open_connections().await;
    let handler = Arc::new(handler);
    // one invocation after the other, or as many at once as AWS_LAMBDA_MAX_CONCURRENCY says (Lambda Managed
    // Instances); all on this one thread, since an invocation waits for Amazon Connect and computes little
    run_concurrent(service_fn(move |event: LambdaEvent<_>| {
        let handler = Arc::clone(&handler);
        Box::pin(async move { handler.handle(event).await })
    }))
    .await
}
