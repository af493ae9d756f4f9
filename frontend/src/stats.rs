//! `--stats`: what a run did, as JSON.

use crate::exit::Mistake;
use machine::Machine;
use std::path::Path;
use std::time::Duration;

/// Writes the counters and the state hash.
pub fn write(machine: &Machine, host: Duration, path: &Path) -> Result<(), Mistake> {
    let fail = |e: &dyn std::fmt::Display| {
        Mistake::data(format!("{} cannot be written: {e}", path.display()))
    };
    let stats = machine.cpu_stats();
    let insns = machine.insns();
    // Under KVM the count follows from the clock.
    let back_end = if machine.cpu_caps().exact {
        "interp"
    } else {
        "kvm"
    };
    let seconds = host.as_secs_f64();
    let mips = if seconds > 0.0 {
        insns as f64 / seconds / 1e6
    } else {
        0.0
    };
    let hash = machine.state_hash().map_err(|e| fail(&e))?;
    let json = serde_json::json!({
        "insns": {
            "total": insns,
            "by_cpu": [insns],
            "by_backend": { (back_end): insns },
        },
        "guest_ns": machine.now().as_ns(),
        "blocks_decoded": stats.blocks_decoded,
        "tlb_fills": stats.tlb_fills,
        "exits": stats.exits,
        "host_seconds": seconds,
        "mips": mips,
        "state_hash": format!("{hash:032x}"),
    });
    std::fs::write(path, format!("{json:#}\n")).map_err(|e| fail(&e))
}
