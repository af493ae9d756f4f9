//! The handlers of the CPU call one another, which only ends well because the compiler makes jumps of these calls. Nothing in
//! the language promises it, so the built program is looked at.

use anyhow::{Context, Result, bail};
use std::path::Path;
use std::process::Command;

/// How the functions are named that hand over to the next operation.
const HANDLERS: [&str; 17] = [
    "cpu::op::fast",
    "cpu::op::longer",
    "cpu::op::quiet",
    "cpu::op::shortcut",
    "cpu::op::twin",
    "cpu::op::whole",
    "cpu::exec::branch::call",
    "cpu::exec::branch::call_through",
    "cpu::exec::branch::fused",
    "cpu::exec::branch::jcc",
    "cpu::exec::branch::jmp",
    "cpu::exec::branch::jmp_to",
    "cpu::exec::branch::loop_or_not",
    "cpu::exec::branch::next_block",
    "cpu::exec::branch::ret",
    "cpu::exec::copy::joined",
    "cpu::exec::pair::pair",
];

/// Bytes of a line of the host's cache.
const LINE_BYTES: u64 = 64;

/// Fails if a handler in a program built for release calls another one, hands over to none, or does not begin
/// a line of the cache.
pub fn check(program: &Path) -> Result<()> {
    let output = Command::new("objdump")
        .args(["--disassemble", "--demangle", "--no-show-raw-insn"])
        .arg(program)
        .output()
        .context("objdump (of binutils) cannot be run")?;
    if !output.status.success() {
        bail!("objdump cannot read {}", program.display());
    }
    let listing = String::from_utf8_lossy(&output.stdout);
    let (mut handlers, mut wrong) = (0, Vec::new());
    for function in listing.split("\n\n") {
        let Some((header, code)) = function.trim_start().split_once('\n') else {
            continue;
        };
        let name = header
            .split_once('<')
            .map_or("", |(_, name)| name.trim_end_matches(">:"));
        if !HANDLERS.contains(&name) {
            continue;
        }
        handlers += 1;
        let address = header.split_whitespace().next().unwrap_or_default();
        if u64::from_str_radix(address, 16).is_ok_and(|a| a % LINE_BYTES != 0) {
            wrong.push(format!(
                "{header} does not begin a line of the cache: see .cargo/config.toml"
            ));
        }
        let operands = |mnemonic: &str| {
            let lines = code.lines().filter_map(|l| l.split_once('\t'));
            let of = lines.filter_map(|(_, insn)| insn.strip_prefix(mnemonic));
            of.map(|o| o.trim().to_owned()).collect::<Vec<_>>()
        };
        // What is called by way of the table of global addresses is a function of the program, and no handler in an operation.
        let by_pointer = |o: &String| o.starts_with('*') && !o.contains("(%rip)");
        if operands("call").iter().any(by_pointer) {
            wrong.push(format!("{header} calls the next operation"));
        }
        // What only ever leaves the block goes back to the run loop.
        let may_leave = ["cpu::op::twin", "cpu::op::whole"].contains(&name);
        if !may_leave && !operands("jmp").iter().any(by_pointer) {
            wrong.push(format!("{header} does not jump to the next operation"));
        }
    }
    println!("chain: {handlers} handlers");
    if handlers == 0 {
        bail!("no handler is in {}", program.display());
    }
    if !wrong.is_empty() {
        bail!("{}", wrong.join("\n"));
    }
    Ok(())
}
