//! The minimal function: one read and one unconditional update, nothing else.

use aws_config::BehaviorVersion;
use aws_sdk_connect::Client;
use aws_sdk_connect::types::{
    AllowedExtension, AttachedFilesConfiguration, AttachmentScope, ExtensionConfiguration,
};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Change {
    instance_id: String,
    attachment_scope: String,
    maximum_size_limit_in_bytes: i64,
    allowed_extensions: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Changed {
    before: Option<i64>,
    after: Option<i64>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let client = Client::new(&aws_config::load_defaults(BehaviorVersion::latest()).await);
    let client = &client;
    run(service_fn(|event: LambdaEvent<Change>| change(client, event.payload))).await
}

async fn change(client: &Client, change: Change) -> Result<Changed, Error> {
    let scope = AttachmentScope::from(change.attachment_scope.as_str());
    let before = client
        .describe_attached_files_configuration()
        .instance_id(&change.instance_id)
        .attachment_scope(scope.clone())
        .send()
        .await?;
    let extensions = change.allowed_extensions.into_iter();
    let extensions = extensions
        .map(|extension| AllowedExtension::builder().extension(extension).build())
        .collect::<Result<Vec<_>, _>>()?;
    let extensions = ExtensionConfiguration::builder().set_allowed_extensions(Some(extensions)).build()?;
    let after = client
        .update_attached_files_configuration()
        .instance_id(&change.instance_id)
        .attachment_scope(scope)
        .maximum_size_limit_in_bytes(change.maximum_size_limit_in_bytes)
        .extension_configuration(extensions)
        .send()
        .await?;
    Ok(Changed {
        before: before
            .attached_files_configuration()
            .and_then(AttachedFilesConfiguration::maximum_size_limit_in_bytes),
        after: after.maximum_size_limit_in_bytes(),
    })
}
