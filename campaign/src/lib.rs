//! Suites that many machines share: which part of the work is ours, what came of it, and the sum of the parts.
//!
//! A suite takes [`CampaignArgs`], does its [`Shard`] of the work, fills [`Results`] and ends with [`conclude`]. `merge`
//! adds the parts' JUnit files up to what one machine would have written. Nothing here knows what the suites test.

mod command_line;
mod junit;
mod merge;
mod results;
mod shard;
mod suite;

pub use command_line::{CampaignArgs, EXIT_WRONG_USE, WrongUse, conclude, parse};
pub use junit::{read, write};
pub use merge::merge;
pub use results::{Results, Row, Tally};
pub use shard::Shard;
pub use suite::Suite;
