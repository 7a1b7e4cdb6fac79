//! Flags that several commands share.

use clap::Args;
use sandbox::connect::{Connect, Fault, Instance, Options, Rate};
use sandbox::governed::{self, Role};
use sandbox::lambda::Launch;
use sandbox::tls::Tls;
use std::env;
use std::fs;
use std::io;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

/// The behaviour of Amazon Connect.
#[derive(Debug, Args)]
#[command(next_help_heading = "Amazon Connect")]
pub(crate) struct ConnectFlags {
    /// Port of Amazon Connect on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 0, value_name = "PORT")]
    connect_port: u16,
    /// Calls a second that an account may make in a Region; 0 for no quota
    #[arg(long, default_value_t = Rate::default().per_second, value_name = "CALLS", value_parser = rate)]
    rate: f64,
    /// Calls that may be made at once after a pause
    #[arg(long, default_value_t = Rate::default().burst, value_name = "CALLS", value_parser = clap::value_parser!(u32).range(1..))]
    burst: u32,
    /// One quota for all operations, instead of one for each
    #[arg(long)]
    shared_quota: bool,
    /// Duration of every call: `200`, `200ms` or `1.5s`
    #[arg(long, default_value = "0", value_name = "TIME", value_parser = duration)]
    latency: Duration,
    /// A fault and the probability that a call gets it, such as `throttle=0.2`; repeatable.
    /// Kinds: throttle, untyped-throttle, too-many-requests, 500, 503[:MS], reset-before,
    /// reset-after, silent, slow[:MS], truncated, wrong-content-type, other-values, access-denied,
    /// expired-token, not-found
    #[arg(long, value_name = "KIND=PROBABILITY", value_parser = fault)]
    fault: Vec<(Fault, f64)>,
    /// Seed of the faults: the same seed and the same calls give the same faults
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Number of instances
    #[arg(long, default_value_t = 3, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    instances: u32,
    /// One more instance, by its ARN, in any account and Region; repeatable
    #[arg(long = "instance", value_name = "ARN", value_parser = instance)]
    further: Vec<Instance>,
    /// Serves HTTPS (Amazon Connect, the table and the bus), and writes the certificate of the CA to this file, as PEM; it is new in each run
    #[arg(long, value_name = "FILE")]
    tls_ca: Option<PathBuf>,
    /// Keeps the instances and their configurations in this file, for the next start
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// Appends every call to this file, as a line of JSON, before its answer is sent
    #[arg(long, value_name = "FILE")]
    journal: Option<PathBuf>,
}

impl ConnectFlags {
    /// The options that these flags mean.
    pub(crate) fn options(&self) -> Options {
        let rate = Rate { per_second: self.rate, burst: self.burst, shared: self.shared_quota };
        Options {
            port: self.connect_port,
            tls: self.tls_ca.is_some(),
            instances: (1..=self.instances)
                .map(Instance::numbered)
                .chain(self.further.iter().cloned())
                .collect(),
            rate: (self.rate > 0.0).then_some(rate),
            latency: self.latency,
            faults: self.fault.clone(),
            seed: self.seed,
            state: self.state.clone(),
            journal: self.journal.clone(),
            ..Options::default()
        }
    }

    /// Starts Amazon Connect.
    pub(crate) async fn start(&self) -> io::Result<Connect> {
        let connect = Connect::start(self.options()).await?;
        if let (Some(path), Some(pem)) = (&self.tls_ca, connect.tls().map(Tls::ca_pem)) {
            fs::write(path, pem).map_err(|error| {
                io::Error::new(error.kind(), format!("cannot write `{}`: {error}", path.display()))
            })?;
        }
        Ok(connect)
    }
}

/// The function and how it is run.
#[derive(Debug, Args)]
#[command(next_help_heading = "The function")]
pub(crate) struct FunctionFlags {
    /// The function's program; by default `connect-attachment-policy` in the directory of this program
    #[arg(long, value_name = "FILE")]
    function: Option<PathBuf>,
    /// The configured timeout of the function, 60 by default; in governed mode of all five, each of which has its own
    /// otherwise
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=900))]
    timeout: Option<u64>,
    /// A variable for the function's environment; repeatable
    #[arg(long, value_name = "KEY=VALUE", value_parser = variable)]
    env: Vec<(String, String)>,
}

impl FunctionFlags {
    /// The path of the function's program, or an error where no file is there.
    pub(crate) fn binary(&self) -> io::Result<PathBuf> {
        let binary = match &self.function {
            Some(binary) => binary.clone(),
            None => env::current_exe()?.with_file_name("connect-attachment-policy"),
        };
        if binary.is_file() {
            Ok(binary)
        } else {
            Err(io::Error::new(
                io::ErrorKind::NotFound,
                format!(
                    "no function at `{}`: build it with `cargo build --workspace`, \
                     or name another with `--function`",
                    binary.display()
                ),
            ))
        }
    }

    /// The timeout that was asked for.
    pub(crate) fn timeout(&self) -> Option<Duration> {
        self.timeout.map(Duration::from_secs)
    }

    /// How to start it against an Amazon Connect.
    pub(crate) fn launch(&self, connect_url: &str) -> io::Result<Launch> {
        let mut launch = Launch::new(self.binary()?, connect_url);
        launch.timeout = self.timeout().unwrap_or(Duration::from_mins(1));
        launch.env.extend(self.env.iter().cloned());
        Ok(launch)
    }

    /// Whether a variable of this name was given.
    fn names(&self, variable: &str) -> bool {
        self.env.iter().any(|(name, _)| name == variable)
    }
}

/// The functions of governed mode, and what they share.
#[derive(Debug, Args)]
#[command(next_help_heading = "Governed mode")]
pub(crate) struct GovernedFlags {
    /// One function without a table and queues, as `packaging/standalone.yaml` deploys it
    #[arg(long)]
    pub(crate) standalone: bool,
    /// Port of DynamoDB on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 0, value_name = "PORT", conflicts_with = "standalone")]
    table_port: u16,
    /// Port of Amazon SQS on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 0, value_name = "PORT", conflicts_with = "standalone")]
    queue_port: u16,
    /// Lanes that are carried out at once
    #[arg(long, default_value_t = 2, value_name = "COUNT", conflicts_with = "standalone", value_parser = clap::value_parser!(u16).range(1..=100))]
    workers: u16,
    /// Seconds between two sweeps
    #[arg(long, default_value_t = 60, value_name = "SECONDS", conflicts_with = "standalone", value_parser = clap::value_parser!(u64).range(1..=3_600))]
    sweep: u64,
}

impl GovernedFlags {
    /// The options that these flags mean, with the pace that the template gives each function of the quota.
    pub(crate) fn options(&self, function: &FunctionFlags, connect: &ConnectFlags) -> governed::Options {
        let mut options = governed::Options::default();
        options.ledger.port = self.table_port;
        options.queue_port = self.queue_port;
        options.worker.processes = NonZeroUsize::new(usize::from(self.workers)).unwrap_or(NonZeroUsize::MIN);
        options.sweep_every = Some(Duration::from_secs(self.sweep));
        options.worker = paced(options.worker, function, connect, 0.95, 3);
        options.api = paced(options.api, function, connect, 0.25, 2);
        if let Some(timeout) = function.timeout() {
            for role in [
                &mut options.api,
                &mut options.intake,
                &mut options.worker,
                &mut options.sweep,
                &mut options.widget,
                &mut options.declare,
            ] {
                role.timeout = timeout;
            }
        }
        options
    }
}

/// A function with its share of the quota, unless its pace was given by hand or there is no quota.
fn paced(role: Role, function: &FunctionFlags, connect: &ConnectFlags, share: f64, burst: u32) -> Role {
    const RATE: &str = "CONNECT_REQUESTS_PER_SECOND";
    const BURST: &str = "CONNECT_BURST";
    if function.names(RATE) || function.names(BURST) || connect.rate <= 0.0 {
        return role;
    }
    // At least what the function takes as a pace.
    let rate = (connect.rate * share).clamp(0.01, 1_000.0);
    role.env(RATE, rate.to_string()).env(BURST, burst.to_string())
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(rate) if (0.0..=1_000_000.0).contains(&rate) => Ok(rate),
        _ => Err("must be a number of calls a second, such as `2` or `0.5`; 0 for no quota".to_owned()),
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = if let Some(number) = text.strip_suffix("ms") {
        (number, 0.001)
    } else if let Some(number) = text.strip_suffix('s') {
        (number, 1.0)
    } else {
        (text, 0.001)
    };
    number
        .parse::<f64>()
        .ok()
        .and_then(|number| Duration::try_from_secs_f64(number * unit).ok())
        .filter(|duration| *duration <= Duration::from_hours(1))
        .ok_or_else(|| "must be a time of at most an hour, such as `200` (milliseconds) or `1.5s`".to_owned())
}

fn fault(text: &str) -> Result<(Fault, f64), String> {
    let (kind, probability) =
        text.split_once('=').ok_or("must be a kind and a probability, such as `throttle=0.2`")?;
    let fault = kind.parse::<Fault>().map_err(|error| error.to_string())?;
    match probability.parse() {
        Ok(probability) if (0.0..=1.0).contains(&probability) => Ok((fault, probability)),
        _ => Err(format!("`{probability}` is not a probability from 0 to 1")),
    }
}

fn instance(text: &str) -> Result<Instance, String> {
    text.parse::<Instance>().map_err(|error| format!("{error}, such as `{}`", Instance::numbered(4).arn()))
}

fn variable(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("must be a name and a value, such as `CONNECT_BURST=10`".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_latency_is_in_milliseconds_unless_it_says_otherwise() {
        for (text, milliseconds) in [("0", 0), ("200", 200), ("200ms", 200), ("1.5s", 1_500)] {
            assert_eq!(duration(text), Ok(Duration::from_millis(milliseconds)));
        }
        for text in ["", "-1", "fast", "2h", "3601s", "NaN", "inf"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_fault_has_a_kind_and_a_probability() {
        assert_eq!(fault("throttle=0.25"), Ok((Fault::Throttle, 0.25)));
        assert_eq!(fault("slow:20=1"), Ok((Fault::Slow(Duration::from_millis(20)), 1.0)));
        for (text, message) in [
            ("throttle", "must be a kind and a probability, such as `throttle=0.2`"),
            ("throttle=2", "`2` is not a probability from 0 to 1"),
            ("throttle=NaN", "`NaN` is not a probability from 0 to 1"),
        ] {
            assert_eq!(fault(text), Err(message.to_owned()));
        }
        assert!(
            fault("fire=1")
                .is_err_and(|message| message.starts_with("unknown fault `fire`, must be one of "))
        );
    }

    #[test]
    fn a_variable_has_a_name() {
        assert_eq!(variable("A=b=c"), Ok(("A".to_owned(), "b=c".to_owned())));
        assert!(variable("=b").is_err());
        assert!(variable("A").is_err());
    }
}
