//! Real software as tests: where each guest comes from, how it is started, what shows that it works.
//!
//! `guests fetch` gets what comes from Debian's packages; `guests run` boots everything, and with `--images DIR` also
//! the floppy images of a folder. The guests are driven through the `boxwood` binary, as a user would.

mod fetch;
mod list;
mod run;

use anyhow::Result;
use clap::{Args as ClapArgs, Subcommand, ValueEnum};
use std::path::PathBuf;

pub use fetch::{cache_folder, fetch_all, find};
pub use list::{DEBIAN, Guest, Origin, SHARED};
pub use run::boot;

/// How much to run.
#[derive(Copy, Clone, PartialEq, Eq, Debug, ValueEnum)]
pub enum Which {
    /// What takes seconds.
    Quick,
    /// Everything.
    All,
}

#[derive(ClapArgs)]
pub struct Args {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Gets the guests that come from Debian's packages, without root
    Fetch,
    /// Boots the guests
    Run {
        /// A folder with freedos-*.img and elks-1440k.img
        #[arg(long, value_name = "DIR")]
        images: Option<PathBuf>,
        /// How much
        #[arg(long, value_enum, default_value = "quick")]
        which: Which,
        /// Only guests whose name contains this
        #[arg(long, default_value = "")]
        only: String,
        /// The boxwood binary; the one beside this program if it is not given
        #[arg(long)]
        boxwood: Option<PathBuf>,
    },
}

/// Runs the task; whether all guests did what they should.
pub fn run(args: &Args) -> Result<bool> {
    match &args.task {
        Task::Fetch => {
            fetch_all()?;
            Ok(true)
        }
        Task::Run {
            images,
            which,
            only,
            boxwood,
        } => {
            let boxwood = match boxwood {
                Some(path) => path.clone(),
                None => run::binary_beside_us()?,
            };
            let shared: &[Guest] = if images.is_some() { SHARED } else { &[] };
            let mut failed = 0;
            let mut ran = 0;
            for guest in DEBIAN.iter().chain(shared) {
                let wanted = *which == Which::All || guest.quick;
                if !wanted || !guest.name.contains(only.as_str()) {
                    continue;
                }
                ran += 1;
                match boot(guest, &boxwood, images.as_deref()) {
                    Ok(report) => println!("{:<28} ok     {report}", guest.name),
                    Err(e) => {
                        failed += 1;
                        println!("{:<28} FAILED {e:#}", guest.name);
                    }
                }
            }
            println!("guests: {ran} run, {failed} failed");
            Ok(failed == 0)
        }
    }
}
