//! How a function process is started: its binary, its environment, its time.

use super::stream::Echo;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// How to start a function.
///
/// [`Launch::new`] is what Lambda would give a function of 128 MB in `us-east-1`; change what
/// has to differ.
#[derive(Clone)]
pub struct Launch {
    /// The program, which is invoked through the Runtime API only.
    pub binary: PathBuf,
    /// Its environment; of two variables of one name the later one counts.
    ///
    /// `AWS_LAMBDA_RUNTIME_API` is added at the start, when the port is known.
    pub env: Vec<(String, String)>,
    /// Whether the function gets nothing of this process's environment (the default).
    pub clear_env: bool,
    /// The function's configured timeout: the deadline is that much after the hand-over.
    ///
    /// 30 seconds by default (Lambda allows 1 to 900).
    pub timeout: Duration,
    /// Called with every line of the process, to show it at once; nothing by default.
    pub echo: Option<Echo>,
    /// How many invocations the process may work on at once; set by [`Launch::concurrency`].
    pub(super) concurrency: u16,
}

impl Launch {
    /// A function of Lambda's usual environment, with Amazon Connect at `connect_url`.
    ///
    /// The variables are those of AWS's page "Working with Lambda environment variables".
    /// The access key belongs to account 111122223333 ([`access_key_id`]).
    pub fn new(binary: impl Into<PathBuf>, connect_url: &str) -> Self {
        let env = [
            ("AWS_ACCESS_KEY_ID", access_key_id(111_122_223_333)),
            ("AWS_SECRET_ACCESS_KEY", "sandbox/secret/key".into()),
            ("AWS_SESSION_TOKEN", "sandbox-session-token".into()),
            ("AWS_REGION", "us-east-1".into()),
            ("AWS_DEFAULT_REGION", "us-east-1".into()),
            ("AWS_LAMBDA_FUNCTION_NAME", "connect-attachment-policy".into()),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".into()),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128".into()),
            ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".into()),
            ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/connect-attachment-policy".into()),
            ("AWS_LAMBDA_LOG_STREAM_NAME", "sandbox".into()),
            ("AWS_LAMBDA_LOG_FORMAT", "JSON".into()),
            ("AWS_ENDPOINT_URL_CONNECT", connect_url.into()),
            ("AWS_EC2_METADATA_DISABLED", "true".into()),
            ("TZ", ":UTC".into()),
        ];
        Self {
            binary: binary.into(),
            env: env.map(|(name, value)| (name.to_owned(), value)).into(),
            clear_env: true,
            timeout: Duration::from_secs(30),
            echo: None,
            concurrency: 1,
        }
    }

    /// The same, as a function on Lambda Managed Instances: several invocations at once.
    ///
    /// As in Lambda, the process gets the number as `AWS_LAMBDA_MAX_CONCURRENCY` (AWS's page "Using
    /// the Lambda runtime API for custom runtimes"). An invocation that misses its deadline has timed
    /// out, and the process is not killed (AWS's page "Understanding the Lambda Managed Instances execution
    /// environment", Independent timeouts).
    #[must_use]
    pub fn concurrency(mut self, invocations: u16) -> Self {
        self.concurrency = invocations;
        self.env("AWS_LAMBDA_MAX_CONCURRENCY", invocations.to_string())
    }

    /// The same, as a function of this name.
    #[must_use]
    pub fn named(self, name: &str) -> Self {
        let group = format!("/aws/lambda/{name}");
        self.env("AWS_LAMBDA_FUNCTION_NAME", name).env("AWS_LAMBDA_LOG_GROUP_NAME", group)
    }

    /// The function's name, as its environment has it.
    #[must_use]
    pub fn name(&self) -> &str {
        let mut variables = self.env.iter().rev();
        let named = variables.find(|(variable, _)| variable == "AWS_LAMBDA_FUNCTION_NAME");
        named.map_or("", |(_, name)| name)
    }

    /// Its ARN, as invocations carry it.
    #[must_use]
    pub fn arn(&self) -> String {
        format!("arn:aws:lambda:us-east-1:111122223333:function:{}", self.name())
    }

    /// The same, with one more variable.
    #[must_use]
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }
}

impl fmt::Debug for Launch {
    /// Without the environment, which may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Launch")
            .field("binary", &self.binary)
            .field("timeout", &self.timeout)
            .field("concurrency", &self.concurrency)
            .finish_non_exhaustive()
    }
}

/// An access key id of temporary credentials that belongs to `account`.
///
/// AWS's own ids carry their account: the ten bytes behind the four-letter prefix, in
/// base32 (RFC 4648, section 6), hold it in bits 7 to 46 of the first six. The sandbox's
/// Connect reads it back, so that several accounts can share one endpoint.
#[must_use]
pub fn access_key_id(account: u64) -> String {
    const ALPHABET: [char; 32] = [
        'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K', 'L', 'M', 'N', 'O', 'P', 'Q', 'R', 'S', 'T',
        'U', 'V', 'W', 'X', 'Y', 'Z', '2', '3', '4', '5', '6', '7',
    ];
    let bits = (u128::from(account & 0xFF_FFFF_FFFF) << 7 | 1 << 47) << 32 | 0x53_414E_4458;
    let characters = (0..16).rev().filter_map(|place| {
        let digit = usize::try_from((bits >> (place * 5)) & 31).ok()?;
        ALPHABET.get(digit)
    });
    "ASIA".chars().chain(characters.copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The decoding published for real key ids: base32, the first six bytes, bits 7 to 46.
    fn account_of(key: &str) -> u64 {
        let bits = key[4..].chars().fold(0_u128, |bits, c| {
            let digit = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".find(c).expect("base32");
            bits << 5 | digit as u128
        });
        u64::try_from((bits >> 32) & 0x7FFF_FFFF_FF80).expect("47 bits") >> 7
    }

    #[test]
    fn an_access_key_id_carries_its_account() {
        for account in [0, 1, 111_122_223_333, 999_999_999_999] {
            let key = access_key_id(account);
            assert_eq!(key.len(), 20);
            assert!(key.starts_with("ASIA"));
            assert_eq!(account_of(&key), account, "{key}");
        }
    }

    #[test]
    fn the_decoding_of_the_tests_is_the_one_published_for_real_keys() {
        assert_eq!(account_of("ASIAQNZGKIQY56JQ7WML"), 29_608_264_753);
    }

    #[test]
    fn a_function_has_the_last_name_that_it_was_given() {
        let launch = Launch::new("f", "http://127.0.0.1:1");
        assert_eq!(launch.name(), "connect-attachment-policy");
        let launch = launch.named("connect-attachment-policy-worker");
        assert_eq!(launch.name(), "connect-attachment-policy-worker");
        assert_eq!(
            launch.arn(),
            "arn:aws:lambda:us-east-1:111122223333:function:connect-attachment-policy-worker"
        );
    }

    #[test]
    fn the_debug_form_of_a_launch_has_no_environment() {
        let launch = Launch::new("f", "http://127.0.0.1:1").env("SECRET", "hush");
        assert!(!format!("{launch:?}").contains("hush"));
    }
}
