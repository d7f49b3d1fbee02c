//! `metsuke simulate`: a made-up Heroku on this machine.
//!
//! What it serves and how it errs is the simulator's; here are its settings.

use std::net::SocketAddr;
use std::time::Duration;

use clap::ValueEnum;
use metsuke_simulator::jupiterone::{JupiterOne, JupiterOneOptions};
use metsuke_simulator::{Delay, Fault, Options, Simulator, Size};

use crate::args::duration;
use crate::context::Context;
use crate::failure::{Exit, Failure};

/// Serve a simulated Heroku, for trying and for tests
///
/// Prints its address and a token with the scope `global`, then serves until Ctrl-C. The same size and seed give
/// the same estate, to the byte. Tokens of other scopes are `HRKU-simulated-read`, `-write`, `-identity`,
/// `-read-protected`, `-write-protected` and `-identity-read`; `-accountless` may do everything but ask whose it is.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Faults are KIND, KIND@/path/prefix or KIND@n:REQUEST, each with an optional #TIMES. KIND is one of
rate-limit-429, server-error-500, bad-gateway-html-502, unavailable-503, unauthorized-401,
forbidden-403, not-found-404, truncated-body, wrong-type, slow-drip[=MILLISECONDS],
connection-reset, repeated-page, endless-next-range, huge-body, deep-json. In a path `*` stands for
one segment, and a final `$` ends the match there.

Of writes alone: write-applied-HOW has its effect, write-dropped-HOW has none, and
write-late-HOW[=MILLISECONDS or =FROM..TO] has it later (by default within 20 seconds), where HOW is
what the sender is told: reset, 500, 502, 503 or hang. Also write-applied-truncated and
write-applied-slow[=MILLISECONDS]. For these n:REQUEST counts writes.

Examples:
  metsuke simulate --size company --seed 7
  metsuke simulate --size scale --teams 1000 --apps 100000 --people 20000 --grants 1500000
  metsuke simulate --fault 'forbidden-403@/teams/*/members#1' --fault server-error-500@n:17
  metsuke simulate --control 127.0.0.1:4011 --fault 'write-late-reset=0..5000@/teams/*/members'"
)]
pub(crate) struct Args {
    /// Where to listen; port 0 takes any free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:4010")]
    listen: SocketAddr,
    /// Which estate
    #[arg(long, value_enum, value_name = "SIZE", default_value_t = Estate::Company)]
    size: Estate,
    /// Teams, for the sizes company and scale
    #[arg(long, value_name = "N")]
    teams: Option<u32>,
    /// People, for the sizes company and scale
    #[arg(long, value_name = "N")]
    people: Option<u32>,
    /// Apps, for the sizes company and scale
    #[arg(long, value_name = "N")]
    apps: Option<u32>,
    /// Direct grants in total, for the size scale
    #[arg(long, value_name = "N")]
    grants: Option<u64>,
    /// Which of the estates of the size
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// How long every answer takes at least
    #[arg(long, value_name = "DURATION", default_value = "0ms", value_parser = duration)]
    latency: Duration,
    /// For how long reads show the state before a write: milliseconds, or FROM..TO
    #[arg(long, value_name = "MILLISECONDS", default_value = "0")]
    settling: Delay,
    /// Where other programs may read the journal of writes, statistics and the truth, and set faults, without a token
    #[arg(long, value_name = "ADDRESS")]
    control: Option<SocketAddr>,
    /// Also serve a stand-in for JupiterOne's synchronization API here
    #[arg(long, value_name = "ADDRESS")]
    jupiterone_listen: Option<SocketAddr>,
    /// Something that goes wrong, see below; may be given several times
    #[arg(long = "fault", value_name = "FAULT")]
    faults: Vec<Fault>,
}

/// An estate by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Estate {
    /// One Enterprise account, a few teams of both kinds, a personal app.
    Small,
    /// A believable company.
    Company,
    /// Only teams of one Enterprise account.
    Enterprise,
    /// Only standard teams.
    Standard,
    /// No team at all.
    Personal,
    /// Everything together.
    Mixed,
    /// Everything that a client might trip over.
    Awkward,
    /// Ordinary rows with hostile names.
    Hostile,
    /// Made row by row on request, for measurements.
    Scale,
}

impl Args {
    /// Serves until told to stop.
    ///
    /// # Errors
    ///
    /// What the simulator said of its settings, or writing to stdout met.
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let size = self.estate()?;
        let options = Options {
            seed: self.seed,
            latency: self.latency,
            settling: self.settling,
            control: self.control,
            live_clock: true,
            faults: self.faults,
            ..Options::of(size)
        };
        let simulator = Simulator::start(options, self.listen).await?;
        let control = simulator.control_url().map(|url| format!("control {url}\n")).unwrap_or_default();
        let jupiterone = match self.jupiterone_listen {
            Some(listen) => Some(JupiterOne::start(JupiterOneOptions::default(), listen).await?),
            None => None,
        };
        let stand_in = jupiterone.as_ref().map(|jupiterone| {
            let (url, account, key) = (jupiterone.url(), jupiterone.account(), jupiterone.api_key());
            format!("jupiterone {url}\njupiterone-account {account}\njupiterone-key {key}\n")
        });
        let stand_in = stand_in.unwrap_or_default();
        let (url, token) = (simulator.url(), simulator.token());
        let told = format!("listening on {url}\ntoken {token}\n{control}{stand_in}");
        context.output.print(&told)?;
        context.note("note: Ctrl-C ends it");
        context.cancel.cancelled().await;
        simulator.stop().await;
        Ok(Exit::Done)
    }

    fn estate(&self) -> Result<Size, Failure> {
        let sized = self.teams.is_some() || self.people.is_some() || self.apps.is_some();
        let wide = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        let fixed = |size: Size| {
            if sized || self.grants.is_some() {
                let message = "the numbers of teams, people, apps and grants cannot be chosen for this size";
                return Err(Failure::usage(message).hint("use --size company or --size scale"));
            }
            Ok(size)
        };
        match self.size {
            Estate::Small => fixed(Size::Small),
            Estate::Enterprise => fixed(Size::Enterprise),
            Estate::Standard => fixed(Size::Standard),
            Estate::Personal => fixed(Size::Personal),
            Estate::Mixed => fixed(Size::Mixed),
            Estate::Awkward => fixed(Size::Awkward),
            Estate::Hostile => fixed(Size::Hostile),
            Estate::Company if self.grants.is_some() => {
                Err(Failure::usage("the number of grants can be chosen for the size scale alone"))
            }
            Estate::Company => Ok(Size::Company {
                teams: wide(self.teams.unwrap_or(40)),
                people: wide(self.people.unwrap_or(900)),
                apps: wide(self.apps.unwrap_or(1_200)),
            }),
            Estate::Scale => Ok(Size::Scale {
                teams: self.teams.unwrap_or(1_000),
                apps: self.apps.unwrap_or(100_000),
                people: self.people.unwrap_or(20_000),
                grants: self.grants.unwrap_or(1_500_000),
            }),
        }
    }
}
