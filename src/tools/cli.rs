//! The command line's words.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Verifies payment webhooks and says what they mean.
#[derive(Debug, Parser)]
#[command(name = "payhook", version, about, long_about = None, max_term_width = 100)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check a configuration and print what is effective, without secrets.
    Check(ConfigArgs),
    /// Print shell completions.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Sign samples of every gateway with throw-away keys, send them through the real server, and
    /// show what it says. Needs no configuration and no network.
    Demo,
    /// Print the manual page in roff.
    Man,
    /// Map a request to a status: a `MapStatusRequest` in protobuf's JSON on stdin.
    MapStatus(ConfigArgs),
    /// Ask a running server's health: exit 0 when it is serving, 69 when not.
    Probe(ProbeArgs),
    /// Run the server.
    Serve(ServeArgs),
    /// Sign a payload from stdin as the gateway would and print the headers.
    Sign(SignArgs),
    /// Verify a webhook offline, its body on stdin: exit 0 when genuine, 1 when refused.
    Verify(VerifyArgs),
}

/// Where the configuration is.
#[derive(Args, Clone, Debug)]
pub struct ConfigArgs {
    /// Configuration file (YAML or TOML). Else ./payhook.yaml, ./payhook.toml, then
    /// /etc/payhook/payhook.yaml.
    #[arg(long, env = "PAYHOOK_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// Arguments of `serve`.
#[derive(Args, Debug)]
pub struct ServeArgs {
    /// Where the configuration is.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// For development: secrets may stand in the file, and reflection is on. Without a
    /// configuration: a variant per gateway, with throw-away secrets that are printed, on loopback.
    #[arg(long)]
    pub dev: bool,
    /// Port on loopback of the development server without a configuration; health and metrics are
    /// on the next one. 0 takes any.
    #[arg(long, requires = "dev", value_name = "PORT")]
    pub port: Option<u16>,
}

/// Arguments of `probe`.
#[derive(Args, Debug)]
pub struct ProbeArgs {
    /// Address of the admin listener.
    #[arg(long, env = "PAYHOOK_PROBE_ADDRESS", default_value = "127.0.0.1:50052")]
    pub address: std::net::SocketAddr,
    /// Service to ask for; empty asks for the whole server.
    #[arg(long, default_value = "")]
    pub service: String,
    /// Give up after this many milliseconds.
    #[arg(long, default_value_t = 1000)]
    pub timeout_ms: u64,
}

/// The account to use.
#[derive(Args, Clone, Debug)]
pub struct AccountArgs {
    /// Where the configuration is.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// The configured variant.
    #[arg(long)]
    pub variant: String,
}

/// Arguments of `sign`.
#[derive(Args, Debug)]
pub struct SignArgs {
    /// The account to use.
    #[command(flatten)]
    pub account: AccountArgs,
    /// Full URL that the gateway calls, where it signs it.
    #[arg(long, default_value = "")]
    pub url: String,
    /// A header that the gateway signs beside its own, as `Name: value`; may repeat.
    #[arg(long = "header", value_name = "NAME: VALUE")]
    pub headers: Vec<String>,
    /// Sign at this time: Unix seconds or RFC 3339; default now.
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,
    /// What to print.
    #[arg(long, value_enum, default_value_t = SignFormat::Headers)]
    pub format: SignFormat,
}

/// What `sign` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SignFormat {
    /// A `VerifyAndParseRequest` as it goes over the wire, for ghz.
    Binary,
    /// The body as it is sent.
    Body,
    /// One `Name: value` a line.
    Headers,
    /// A `VerifyAndParseRequest` in protobuf's JSON, for grpcurl.
    Request,
}

/// Arguments of `verify`.
#[derive(Args, Debug)]
pub struct VerifyArgs {
    /// The account to use.
    #[command(flatten)]
    pub account: AccountArgs,
    /// A header as `Name: value`; may repeat.
    #[arg(long = "header", short = 'H', value_name = "NAME: VALUE")]
    pub headers: Vec<String>,
    /// A file with one `Name: value` a line.
    #[arg(long, value_name = "FILE")]
    pub headers_file: Option<PathBuf>,
    /// HTTP method.
    #[arg(long, default_value = "POST")]
    pub method: String,
    /// Full URL as the gateway called it.
    #[arg(long, default_value = "")]
    pub url: String,
    /// Verify as of this time: Unix seconds or RFC 3339; default now.
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,
    /// After a refusal, print its diagnostics.
    #[arg(long)]
    pub explain: bool,
}
