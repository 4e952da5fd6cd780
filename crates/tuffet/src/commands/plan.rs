//! `tuffet plan`: how many bins a repository should have.

use clap::Args;
use serde_json::{Value, json};
use tuffet_repo::{Sizes, Sizing};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::run::App;
use crate::text::{columns, size};

/// The most bins that tuffet makes are 2 to the power of this.
const MOST_BITS: u32 = 16;

/// Say how many hash bins a repository of some size should have
///
/// Computes for every number of bins what clients fetch and what a publication signs. The best number is the fewest bins with
/// which clients fetch at most a fifth more than the least: on a first visit, and when they come back after a publication.
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  tuffet plan --targets 1000000\n  tuffet plan --targets 50000 --changes 20 --visits-per-publication 1000"
)]
pub(crate) struct Arguments {
    /// How many targets there are
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=10_000_000_000))]
    targets: u64,
    /// How many targets one publication adds or changes
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=10_000_000_000))]
    changes: u64,
    /// How many bytes the paths of targets have on average
    #[arg(long, value_name = "N", default_value_t = 40, value_parser = clap::value_parser!(u64).range(1..=4096))]
    path_length: u64,
    /// How many publications there are in a day, to know signatures per second
    #[arg(long, value_name = "N", default_value_t = 24, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    publications_per_day: u64,
    /// How many clients come back after each publication, to know bytes per second
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u64).range(0..=10_000_000_000))]
    visits_per_publication: u64,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, app: &App) -> Result<Exit, Failure> {
    let sizing = Sizing {
        targets: arguments.targets,
        path_length: arguments.path_length,
        changes: arguments.changes,
    };
    let all: Vec<Sizes> = (0..=MOST_BITS).map(|bits| sizing.with_bins(bits)).collect();
    let best = best(&all);
    if app.console.json {
        let rows: Vec<Value> = all.iter().map(|sizes| object(sizes, arguments)).collect();
        app.console
            .result("plan", json!({"best_bits": best, "bins": rows}))?;
        return Ok(Exit::Done);
    }
    let head = [
        "bins",
        "role",
        "snapshot",
        "first visit",
        "next visit",
        "signed files",
        "signatures/s",
        "bytes/s",
    ];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    rows.extend(all.iter().map(|sizes| row(sizes, arguments)));
    let mut lines = columns(&rows);
    lines.push(String::new());
    lines.push(if best == 0 {
        "best without bins".to_owned()
    } else {
        format!(
            "best with {count} bins: tuffet delegate add NAME --bins {count} --keys KEY --online",
            count = 1_u64 << best
        )
    });
    app.console.data(lines.join("\n"))?;
    Ok(Exit::Done)
}

/// The fewest bins with which clients fetch little more than they do with the best number: bins are signed one by one, too.
fn best(all: &[Sizes]) -> u32 {
    let cost = |sizes: &Sizes| sizes.first_visit.saturating_add(sizes.next_visit);
    let least = all.iter().map(cost).min().unwrap_or_default();
    let enough = least.saturating_add(least / 5);
    let best = all.iter().find(|sizes| cost(sizes) <= enough);
    best.map_or(0, |sizes| sizes.bits)
}

fn row(sizes: &Sizes, arguments: &Arguments) -> Vec<String> {
    let (signatures, bytes) = rates(sizes, arguments);
    vec![
        if sizes.bits == 0 {
            "none".to_owned()
        } else {
            sizes.bins.to_string()
        },
        size(sizes.role),
        size(sizes.snapshot),
        size(sizes.first_visit),
        size(sizes.next_visit),
        sizes.signatures.to_string(),
        format!("{signatures:.2}"),
        size(bytes),
    ]
}

fn object(sizes: &Sizes, arguments: &Arguments) -> Value {
    let (signatures, bytes) = rates(sizes, arguments);
    json!({
        "bits": sizes.bits,
        "bins": sizes.bins,
        "role_bytes": sizes.role,
        "snapshot_bytes": sizes.snapshot,
        "first_visit_bytes": sizes.first_visit,
        "next_visit_bytes": sizes.next_visit,
        "signatures_per_publication": sizes.signatures,
        "signatures_per_second": signatures,
        "bytes_per_second": bytes,
    })
}

/// Signatures and bytes per second.
#[expect(clippy::cast_precision_loss, reason = "an estimate")]
fn rates(sizes: &Sizes, arguments: &Arguments) -> (f64, u64) {
    const DAY: u64 = 86_400;
    let publications = arguments.publications_per_day;
    let signatures = sizes.signatures as f64 * publications as f64 / DAY as f64;
    let bytes = sizes
        .next_visit
        .saturating_mul(arguments.visits_per_publication)
        .saturating_mul(publications);
    (signatures, bytes / DAY)
}
