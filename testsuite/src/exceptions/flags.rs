//! What IOPL, virtual interrupts and the I/O permission map decide: CLI, STI, PUSHF, POPF, IN, OUT, INS, OUTS
//! (SDM vol. 2; vol. 1, section 19.5; vol. 3, sections 20.3 and 20.4).

use super::condition::{AC, Condition, GP, SS, UD};
use super::segments::PROTECTED;
use super::stage::*;
use emu_core::x86::{Cr0, Cr4, Gpr, Rflags, Seg};

const VIP: Rflags = Rflags::VIP;

pub fn conditions() -> Vec<Condition> {
    let mut all = Vec::new();
    interrupt_flag(&mut all);
    stack(&mut all);
    ports(&mut all);
    all
}

fn interrupt_flag(all: &mut Vec<Condition>) {
    let virtual_mode = |s: &mut Stage| s.state.cr4 |= Cr4::VME;
    let protected = |s: &mut Stage| s.state.cr4 |= Cr4::PVI;
    let pending = |s: &mut Stage| s.state.rflags |= VIP;
    let iopl_2 = |s: &mut Stage| s.state.rflags |= Rflags::from_bits_retain(2 << 12);
    for (name, byte) in [("cli", 0xFAu8), ("sti", 0xFB)] {
        for mode in PROTECTED {
            let case = |ring, what: &str| Condition::new(name, mode, ring, what, &[byte]);
            all.push(case(3, "CPL above IOPL").with(iopl_2).faults(GP, 0u32));
            all.push(case(0, "IOPL is 0"));
            all.push(case(3, "CPL above IOPL, CR4.PVI is 1").with(protected));
            let both = case(3, "CPL above IOPL, CR4.PVI and VIP are 1");
            let both = both.with(protected).with(pending);
            all.push(if name == "sti" {
                both.faults(GP, 0u32)
            } else {
                both
            });
        }
        let v86 = |what: &str| Condition::new(name, Mode::Virtual8086, 3, what, &[byte]);
        all.push(v86("IOPL below 3").with(iopl_2).faults(GP, 0u32));
        all.push(v86("IOPL below 3, CR4.VME is 1").with(virtual_mode));
        let both = v86("IOPL below 3, CR4.VME and VIP are 1");
        let both = both.with(virtual_mode).with(pending);
        all.push(if name == "sti" {
            both.faults(GP, 0u32)
        } else {
            both
        });
    }
    let v86 =
        |name, what: &str, bytes: &[u8]| Condition::new(name, Mode::Virtual8086, 3, what, bytes);
    all.push(v86("pushf", "IOPL below 3", &[0x9C]).faults(GP, 0u32));
    all.push(v86("pushf", "IOPL below 3, CR4.VME is 1", &[0x9C]).with(virtual_mode));
    let wide = v86(
        "pushf",
        "32-bit operand, IOPL below 3, CR4.VME is 1",
        &[0x66, 0x9C],
    );
    all.push(wide.with(virtual_mode).faults(GP, 0u32));
    let popped = |flags: u64| move |s: &mut Stage| s.push_all(&[flags]);
    all.push(
        v86("popf", "IOPL below 3", &[0x9D])
            .with(popped(2))
            .faults(GP, 0u32),
    );
    let vme = |what: &str, flags: u64| {
        v86("popf", what, &[0x9D])
            .with(popped(flags))
            .with(virtual_mode)
    };
    all.push(vme("IOPL below 3, CR4.VME is 1", 0x202));
    all.push(vme("IOPL below 3, CR4.VME is 1, TF would be set", 0x102).faults(GP, 0u32));
    let both = vme(
        "IOPL below 3, CR4.VME and VIP are 1, IF would be set",
        0x202,
    );
    all.push(both.with(pending).faults(GP, 0u32));
    let wide = v86(
        "popf",
        "32-bit operand, IOPL below 3, CR4.VME is 1",
        &[0x66, 0x9D],
    );
    all.push(wide.with(virtual_mode).faults(GP, 0u32));
}

/// The stack of PUSHF and POPF.
fn stack(all: &mut Vec<Condition>) {
    for (name, byte) in [("pushf", 0x9Cu8), ("popf", 0x9D)] {
        let write = if name == "pushf" { 2 } else { 0 };
        for mode in [
            Mode::Virtual8086,
            Mode::Protected,
            Mode::Compatibility,
            Mode::Bits64,
        ] {
            let open = |s: &mut Stage| s.state.rflags |= Rflags::IOPL;
            let case = |what: &str| Condition::new(name, mode, 3, what, &[byte]).with(open);
            let absent = move |s: &mut Stage| {
                s.state.gpr[Gpr::Rsp as usize] = ABSENT + if write != 0 { 8 } else { 0 };
            };
            let width = match mode {
                Mode::Virtual8086 => 2,
                Mode::Bits64 => 8,
                _ => 4,
            };
            let at = if write != 0 {
                ABSENT + 8 - width
            } else {
                ABSENT
            };
            let page = case("page of the stack is not present").with(absent);
            all.push(page.faults_on_page(at, 4 | write));
            let odd = |s: &mut Stage| {
                s.state.cr0 |= Cr0::AM;
                s.state.rflags |= Rflags::AC;
                s.state.gpr[Gpr::Rsp as usize] = STACK_3 - 15;
            };
            all.push(
                case("alignment of the stack is checked")
                    .with(odd)
                    .faults(AC, 0u32),
            );
            match mode {
                Mode::Virtual8086 => {
                    let sp = if name == "popf" { 0xFFFF } else { 1 };
                    let end = move |s: &mut Stage| s.state.gpr[Gpr::Rsp as usize] = sp;
                    all.push(
                        case("operand of the stack beyond FFFFh")
                            .with(end)
                            .faults(SS, 0u32),
                    );
                }
                Mode::Bits64 => {
                    let far = |s: &mut Stage| s.state.gpr[Gpr::Rsp as usize] = 1 << 63;
                    all.push(case("RSP is not canonical").with(far).faults(SS, 0u32));
                }
                _ => {
                    let short = |s: &mut Stage| s.state.segments[Seg::Ss as usize].limit = 0x7000;
                    all.push(
                        case("the stack beyond the limit")
                            .with(short)
                            .faults(SS, 0u32),
                    );
                }
            }
        }
    }
}

/// Forms, and whether DX holds the port.
const PORTS: [(&str, &[u8], bool); 14] = [
    ("in", &[0xE4, 0x60], false),
    ("in", &[0xE5, 0x60], false),
    ("in", &[0xEC], true),
    ("in", &[0x66, 0xED], true),
    ("in", &[0xED], true),
    ("out", &[0xE6, 0x60], false),
    ("out", &[0xE7, 0x60], false),
    ("out", &[0xEE], true),
    ("out", &[0x66, 0xEF], true),
    ("out", &[0xEF], true),
    ("insb", &[0x6C], true),
    ("insd", &[0x6D], true),
    ("outsb", &[0x6E], true),
    ("outsd", &[0x6F], true),
];

fn ports(all: &mut Vec<Condition>) {
    // Strings in ES:DI and DS:SI at a place that there is.
    let strings = |s: &mut Stage| s.state.gpr[Gpr::Rsi as usize] = DATA;
    let port = |n: u64| move |s: &mut Stage| s.state.gpr[Gpr::Rdx as usize] = n;
    for (name, bytes, by_dx) in PORTS {
        let form = format!("{bytes:02x?}");
        for mode in Mode::ALL {
            let case = |ring, what: &str| {
                let what = format!("{what} {form}");
                Condition::new(name, mode, ring, &what, bytes)
                    .with(strings)
                    .with(port(0x60))
            };
            if mode == Mode::Real {
                all.push(case(0, "no protection"));
                continue;
            }
            all.push(case(3, "the I/O map forbids").faults(GP, 0u32));
            let cut = |s: &mut Stage| s.state.tr.limit = 0x88 + 0x0B;
            all.push(
                case(3, "the I/O map ends before")
                    .with(cut)
                    .faults(GP, 0u32),
            );
            if by_dx && bytes[bytes.len() - 1] & 1 != 0 {
                // Of the ports from 80h on only the first is allowed.
                all.push(
                    case(3, "the I/O map forbids the second")
                        .with(port(0x80))
                        .faults(GP, 0u32),
                );
            }
            if mode == Mode::Virtual8086 {
                let open = |s: &mut Stage| s.state.rflags |= Rflags::IOPL;
                all.push(
                    case(3, "the I/O map forbids, IOPL is 3")
                        .with(open)
                        .faults(GP, 0u32),
                );
            } else {
                let open = |s: &mut Stage| s.state.rflags |= Rflags::IOPL;
                all.push(case(3, "IOPL is 3").with(open));
                all.push(case(0, "CPL is 0"));
            }
        }
    }
    for (name, byte, write) in [("insb", 0x6C, 2), ("outsb", 0x6E, 0)] {
        for mode in Mode::ALL {
            let case = |what: &str| {
                let case = Condition::new(name, mode, 3, what, &[byte]);
                case.with(strings).with(port(0x80))
            };
            all.push(
                Condition::new(name, mode, 3, "LOCK prefix", &[0xF0, byte])
                    .with(strings)
                    .with(port(0x80))
                    .faults(UD, 0u32),
            );
            if mode == Mode::Real {
                continue;
            }
            let absent = |s: &mut Stage| {
                s.state.gpr[Gpr::Rsi as usize] = ABSENT;
                s.state.gpr[Gpr::Rdi as usize] = ABSENT;
            };
            all.push(
                case("page is not present")
                    .with(absent)
                    .faults_on_page(ABSENT, 4 | write),
            );
            match mode {
                Mode::Bits64 => {
                    let far = |s: &mut Stage| {
                        s.state.gpr[Gpr::Rsi as usize] = 1 << 63;
                        s.state.gpr[Gpr::Rdi as usize] = 1 << 63;
                    };
                    all.push(case("address is not canonical").with(far).faults(GP, 0u32));
                }
                Mode::Protected | Mode::Compatibility => {
                    let seg = if write != 0 { Seg::Es } else { Seg::Ds };
                    let short = move |s: &mut Stage| s.state.segments[seg as usize].limit = 0x87FF;
                    all.push(
                        case("operand beyond the limit")
                            .with(short)
                            .faults(GP, 0u32),
                    );
                }
                _ => {}
            }
        }
    }
}
