//! Who asked for a change and from where: taken out by `trigger`, written down by the audit.

use crate::policy::ChangeId;
use crate::stable_names;
use time::OffsetDateTime;

/// The invocation a request came in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Invocation {
    /// Lambda's request id.
    pub request_id: String,
    /// The X-Ray trace header's value, as Lambda hands it over.
    pub trace_id: Option<String>,
}

impl Invocation {
    /// The trace's id alone, without the rest of the header (`Root=…;Parent=…;Sampled=…`).
    pub fn xray_id(&self) -> Option<&str> {
        let header = self.trace_id.as_deref()?;
        let root = header.split(';').find_map(|part| part.trim().strip_prefix("Root="));
        Some(root.unwrap_or(header))
    }
}

stable_names! {
    /// The ways this function is invoked, named as `ACCEPTED_TRIGGERS` names them.
    pub enum TriggerKind {
        /// API Gateway (HTTP or REST API) or a function URL.
        Http = "http",
        /// An EventBridge event.
        EventBridge = "eventbridge",
        /// A batch of SQS messages.
        Sqs = "sqs",
        /// A policy change as the whole payload.
        Bare = "bare",
        /// An SQS message that points at a recorded change's part in one account and Region.
        Lane = "lane",
        /// The scheduled look for what was left unfinished.
        Sweep = "sweep",
        /// What AWS CloudTrail says of an update of a target, in an EventBridge event.
        CloudTrail = "cloudtrail",
        /// A request of a CloudFormation custom resource.
        Cloudformation = "cloudformation",
        /// A custom widget of a CloudWatch dashboard, which shows what the ledger remembers.
        Widget = "widget",
    }
}

impl TriggerKind {
    /// What a function accepts unless `ACCEPTED_TRIGGERS` says otherwise: the ways to bring a change.
    pub const DEFAULT: [Self; 4] = [Self::Http, Self::EventBridge, Self::Sqs, Self::Bare];
}

stable_names! {
    /// Who verified the identity. The form of a payload proves nothing: anyone who may invoke the function can
    /// imitate any trigger. `ACCEPTED_TRIGGERS` limits which.
    pub enum IdentitySource {
        /// `SigV4`, checked by API Gateway or a function URL.
        ApiGatewayIam = "api-gateway-iam",
        /// A JWT or Cognito authoriser.
        ApiGatewayJwt = "api-gateway-jwt",
        /// A Lambda authoriser.
        ApiGatewayLambda = "api-gateway-lambda",
        /// EventBridge, which stamps `account` and `source` of what was put on the bus.
        EventBridge = "eventbridge",
        /// SQS, which stamps the sender's id.
        SqsSender = "sqs-sender",
        /// A direct invocation: IAM allowed it, but Lambda does not pass on the caller's identity.
        Invoker = "invoker",
        /// HTTP without an authoriser.
        Nobody = "nobody",
    }
}

/// Everything the audit says about where a change came from. A request's body never sets any of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// What invoked the function.
    pub kind: TriggerKind,
    /// The verified identity: an ARN, a subject, a sender id.
    pub principal: Option<String>,
    /// The account of that identity.
    pub account: Option<String>,
    /// The account that an event's envelope names where the envelope came through a queue. Whoever may send to
    /// the queue can write any: it is worth as much as who vouches for the message.
    pub claimed_account: Option<String>,
    /// Who verified it.
    pub vouched_by: IdentitySource,
    /// The caller's address.
    pub source_ip: Option<String>,
    /// The service that handed the request over, or the event's source.
    pub service: String,
    /// The id API Gateway, EventBridge or SQS gave it.
    pub request_id: Option<String>,
    /// When API Gateway or SQS received it, by their clock.
    pub received_at: Option<OffsetDateTime>,
    /// The invocation that carried it.
    pub invocation: Invocation,
}

impl Origin {
    /// Whoever may invoke the function, directly.
    pub fn invoker(invocation: &Invocation) -> Self {
        Self {
            kind: TriggerKind::Bare,
            principal: None,
            account: None,
            claimed_account: None,
            vouched_by: IdentitySource::Invoker,
            source_ip: None,
            service: "lambda.amazonaws.com".to_owned(),
            request_id: None,
            received_at: None,
            invocation: invocation.clone(),
        }
    }

    /// The default change id: the trigger's request id, else the invocation's.
    pub fn change_id(&self) -> ChangeId {
        let own = self.request_id.as_deref().and_then(ChangeId::from_request);
        own.or_else(|| ChangeId::from_request(&self.invocation.request_id)).unwrap_or_default()
    }
}
