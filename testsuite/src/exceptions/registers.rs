//! Control, debug and model-specific registers, counters, XCR0, INVPCID (SDM vol. 2 under each name; vol. 3, section 2.5).

use super::condition::{Condition, DB, GP, UD};
use super::segments::PROTECTED;
use super::stage::*;
use emu_core::x86::{Cr0, Cr4, Efer, Gpr, Seg};

const NON_CANONICAL: u64 = 1 << 63;

pub fn conditions() -> Vec<Condition> {
    let mut all = Vec::new();
    control(&mut all);
    debug(&mut all);
    model_specific(&mut all);
    counters(&mut all);
    monitor(&mut all);
    extended(&mut all);
    table_bases(&mut all);
    invalidate(&mut all);
    all
}

/// MOV to CR`n` of a value that depends on the state.
fn to_cr(mode: Mode, n: u8, what: &str, value: impl Fn(&Stage) -> u64 + 'static) -> Condition {
    let case = Condition::new("mov cr", mode, 0, what, &[0x0F, 0x22, 0xC0 | n << 3]);
    case.with(move |s| s.state.gpr[Gpr::Rax as usize] = value(s))
}

fn control(all: &mut Vec<Condition>) {
    for mode in [
        Mode::Real,
        Mode::Protected,
        Mode::Compatibility,
        Mode::Bits64,
    ] {
        for n in [1u8, 5, 6, 7] {
            let what = format!("CR{n} is none");
            let bytes = [0x0F, 0x22, 0xC0 | n << 3];
            all.push(Condition::new("mov cr", mode, 0, &what, &bytes).faults(UD, 0u32));
            let what = format!("CR{n} is none, as the source");
            let bytes = [0x0F, 0x20, 0xC0 | n << 3];
            all.push(Condition::new("mov cr", mode, 0, &what, &bytes).faults(UD, 0u32));
        }
        let cr0 = |what: &str, set: Cr0, clear: Cr0| {
            to_cr(mode, 0, what, move |s| ((s.state.cr0 | set) - clear).bits())
        };
        all.push(cr0("CR0 as it is", Cr0::empty(), Cr0::empty()));
        all.push(cr0("CR0.NW without CD", Cr0::NW, Cr0::CD).faults(GP, 0u32));
        let paging = cr0("CR0.PG without PE", Cr0::PG, Cr0::PE);
        all.push(paging.faults(GP, 0u32));
        let cr4 = |what: &str, change: fn(u64) -> u64| {
            to_cr(mode, 4, what, move |s| change(s.state.cr4.bits()))
        };
        all.push(cr4("CR4 as it is", |v| v));
        all.push(cr4("CR4 bit 15 is reserved", |v| v | 1 << 15).faults(GP, 0u32));
        all.push(cr4("CR4 bit 31 is reserved", |v| v | 1 << 31).faults(GP, 0u32));
        if !mode.is_long() {
            let pcide = cr4("CR4.PCIDE outside of IA-32e mode", |v| {
                v | Cr4::PCIDE.bits()
            });
            all.push(pcide.faults(GP, 0u32));
        }
    }
    for mode in [Mode::Compatibility, Mode::Bits64] {
        let pae = to_cr(mode, 4, "CR4.PAE is cleared in IA-32e mode", |s| {
            (s.state.cr4 - Cr4::PAE).bits()
        });
        all.push(pae.faults(GP, 0u32));
        let dirty = |s: &mut Stage| s.state.cr3 |= 0x18;
        let pcide = |what: &str| to_cr(mode, 4, what, |s| (s.state.cr4 | Cr4::PCIDE).bits());
        all.push(pcide("CR4.PCIDE is set"));
        let wrong = pcide("CR4.PCIDE is set and CR3 has bits below 12").with(dirty);
        all.push(wrong.faults(GP, 0u32));
        let width = to_cr(mode, 4, "CR4.LA57 is changed in IA-32e mode", |s| {
            s.state.cr4.bits() ^ 1 << 12
        });
        all.push(width.faults(GP, 0u32));
        let process = |s: &mut Stage| s.state.cr4 |= Cr4::PCIDE;
        let off = to_cr(mode, 0, "CR0.PG is cleared while CR4.PCIDE is 1", |s| {
            (s.state.cr0 - Cr0::PG).bits()
        });
        all.push(off.with(process).faults(GP, 0u32));
    }
    let bits64 = Mode::Bits64;
    let off = to_cr(bits64, 0, "CR0.PG is cleared in 64-bit mode", |s| {
        (s.state.cr0 - Cr0::PG).bits()
    });
    all.push(off.faults(GP, 0u32));
    let high = |n, what: &str| {
        to_cr(bits64, n, what, move |s| {
            let old = if n == 0 {
                s.state.cr0.bits()
            } else {
                s.state.cr4.bits()
            };
            old | 1 << 32
        })
    };
    all.push(high(0, "CR0 bit 32").faults(GP, 0u32));
    all.push(high(4, "CR4 bit 32").faults(GP, 0u32));
    let wide = to_cr(bits64, 3, "CR3 beyond the physical address width", |s| {
        s.state.cr3 | 1 << 51
    });
    all.push(wide.faults(GP, 0u32));
    // CR8: REX.R.
    let task_priority = |what: &str, value: u64| {
        let case = Condition::new("mov cr", bits64, 0, what, &[0x44, 0x0F, 0x22, 0xC0]);
        case.with(move |s| s.state.gpr[0] = value)
    };
    all.push(task_priority("CR8 is 15", 15));
    all.push(task_priority("CR8 bits above 3", 16).faults(GP, 0u32));
    for n in [9u8, 15] {
        let what = format!("CR{n} is none");
        let bytes = [0x44, 0x0F, 0x22, 0xC0 | (n & 7) << 3];
        all.push(Condition::new("mov cr", bits64, 0, &what, &bytes).faults(UD, 0u32));
    }
    let protected = Mode::Protected;
    let ia32e = |s: &mut Stage| {
        s.state.efer |= Efer::LME;
        s.state.cr0 -= Cr0::PG;
    };
    let on = |what: &str| to_cr(protected, 0, what, |s| (s.state.cr0 | Cr0::PG).bits());
    all.push(
        on("CR0.PG with EFER.LME but without CR4.PAE")
            .with(ia32e)
            .faults(GP, 0u32),
    );
    let wide_code = |s: &mut Stage| {
        s.state.cr4 |= Cr4::PAE;
        s.state.segments[1].attributes |= emu_core::x86::SegmentAttributes::LONG;
    };
    let case = on("CR0.PG with EFER.LME while CS.L is 1")
        .with(ia32e)
        .with(wide_code);
    all.push(case.faults(GP, 0u32));
    // PDPTEs are loaded with CR3 (SDM vol. 3, section 4.4.1): this one has a reserved bit.
    let pointers = |s: &mut Stage| {
        s.write64(STACK_0 - 0x800, 1 | 1 << 1);
        s.state.cr4 |= Cr4::PAE;
        s.state.pdpte = [0; 4];
    };
    let on = to_cr(
        protected,
        0,
        "CR0.PG while a PDPTE has a reserved bit",
        |s| (s.state.cr0 | Cr0::PG).bits(),
    );
    let off = |s: &mut Stage| {
        s.state.cr0 -= Cr0::PG;
        s.state.cr3 = STACK_0 - 0x800;
    };
    all.push(on.with(pointers).with(off).faults(GP, 0u32));
    let why = "no model has CET";
    for mode in PROTECTED {
        let what = "CR4.CET is set while CR0.WP is 0, or CR0.WP cleared while it is 1";
        all.push(Condition::left_out("mov cr", mode, what, why));
    }
}

fn debug(all: &mut Vec<Condition>) {
    for mode in [
        Mode::Real,
        Mode::Protected,
        Mode::Compatibility,
        Mode::Bits64,
    ] {
        let case = |what: &str, bytes: &[u8]| Condition::new("mov dr", mode, 0, what, bytes);
        let extensions = |s: &mut Stage| s.state.cr4 |= Cr4::DE;
        for n in [4u8, 5] {
            let what = format!("DR{n} with CR4.DE");
            let to = case(&what, &[0x0F, 0x23, 0xC0 | n << 3]);
            all.push(to.with(extensions).faults(UD, 0u32));
            let what = format!("DR{n} with CR4.DE, as the source");
            let from = case(&what, &[0x0F, 0x21, 0xC0 | n << 3]);
            all.push(from.with(extensions).faults(UD, 0u32));
            // DR6 and DR7 under another name; the value is what they may hold.
            let what = format!("DR{n} without CR4.DE");
            let alias = case(&what, &[0x0F, 0x21, 0xC0 | n << 3]);
            all.push(alias);
        }
        let detect = |s: &mut Stage| s.state.dr7 |= 1 << 13;
        let to = case("DR7.GD is 1", &[0x0F, 0x23, 0xC0]).with(detect);
        all.push(to.faults(DB, 0u32));
        let from = case("DR7.GD is 1, as the source", &[0x0F, 0x21, 0xC0]).with(detect);
        all.push(from.faults(DB, 0u32));
    }
    for n in [6u8, 7] {
        let what = format!("DR{n} bit 32");
        let bytes = [0x0F, 0x23, 0xC0 | n << 3];
        let case = Condition::new("mov dr", Mode::Bits64, 0, &what, &bytes);
        all.push(case.with(|s| s.state.gpr[0] = 1 << 32).faults(GP, 0u32));
    }
    for n in [8u8, 15] {
        let what = format!("DR{n} is none");
        let bytes = [0x44, 0x0F, 0x23, 0xC0 | (n & 7) << 3];
        all.push(Condition::new("mov dr", Mode::Bits64, 0, &what, &bytes).faults(UD, 0u32));
    }
}

fn model_specific(all: &mut Vec<Condition>) {
    let put = |msr: u64, value: u64| {
        move |s: &mut Stage| {
            s.state.gpr[Gpr::Rcx as usize] = msr;
            s.state.gpr[Gpr::Rax as usize] = value & 0xFFFF_FFFF;
            s.state.gpr[Gpr::Rdx as usize] = value >> 32;
        }
    };
    for mode in [
        Mode::Real,
        Mode::Protected,
        Mode::Compatibility,
        Mode::Bits64,
    ] {
        let read = |what: &str| Condition::new("rdmsr", mode, 0, what, &[0x0F, 0x32]);
        let write = |what: &str| Condition::new("wrmsr", mode, 0, what, &[0x0F, 0x30]);
        all.push(
            read("no such register")
                .with(put(0x4000_0000, 0))
                .faults(GP, 0u32),
        );
        all.push(
            write("no such register")
                .with(put(0x4000_0000, 0))
                .faults(GP, 0u32),
        );
        all.push(
            write("EFER bit 1 is reserved")
                .with(put(0xC000_0080, 2))
                .faults(GP, 0u32),
        );
        let names = [
            (0xC000_0082, "LSTAR"),
            (0xC000_0083, "CSTAR"),
            (0xC000_0100, "FS.base"),
            (0xC000_0101, "GS.base"),
            (0xC000_0102, "KERNEL_GS_BASE"),
            (0x175, "SYSENTER_ESP"),
            (0x176, "SYSENTER_EIP"),
        ];
        for (msr, name) in names {
            let what = format!("{name} is not canonical");
            all.push(write(&what).with(put(msr, NON_CANONICAL)).faults(GP, 0u32));
            let what = format!("{name} is canonical");
            all.push(write(&what).with(put(msr, 0xFFFF_8000_0000_0000)));
        }
        let memory_type = write("IA32_PAT has a reserved memory type");
        all.push(
            memory_type
                .with(put(0x277, 0x0007_0406_0007_0402))
                .faults(GP, 0u32),
        );
        if mode.is_long() {
            let off = write("EFER.LME is changed while paging is on");
            all.push(off.with(put(0xC000_0080, 1)).faults(GP, 0u32));
        } else if mode == Mode::Protected {
            let on = write("EFER.LME is changed while paging is on");
            all.push(on.with(put(0xC000_0080, 0x100)).faults(GP, 0u32));
        }
    }
}

fn counters(all: &mut Vec<Condition>) {
    let disable = |s: &mut Stage| s.state.cr4 |= Cr4::TSD;
    for mode in Mode::ALL {
        for (name, bytes) in [
            ("rdtsc", &[0x0Fu8, 0x31][..]),
            ("rdtscp", &[0x0F, 0x01, 0xF9]),
        ] {
            let case = |ring, what: &str| Condition::new(name, mode, ring, what, bytes);
            if mode != Mode::Real {
                all.push(
                    case(3, "CR4.TSD is 1 and CPL is not 0")
                        .with(disable)
                        .faults(GP, 0u32),
                );
            }
            if mode != Mode::Virtual8086 {
                all.push(case(0, "CR4.TSD is 1 and CPL is 0").with(disable));
            }
        }
        let case = |ring, what: &str| Condition::new("rdpmc", mode, ring, what, &[0x0F, 0x33]);
        if mode != Mode::Real {
            all.push(case(3, "CR4.PCE is 0 and CPL is not 0").faults(GP, 0u32));
        }
        let none = |s: &mut Stage| s.state.gpr[Gpr::Rcx as usize] = 99;
        let ring = if mode == Mode::Virtual8086 { 3 } else { 0 };
        let on = |s: &mut Stage| s.state.cr4 |= Cr4::PCE;
        let absent = case(ring, "no such counter").with(on).with(none);
        all.push(absent.faults(GP, 0u32));
    }
}

/// MONITOR and MWAIT (SDM vol. 2, each): above CPL 0 they are undefined, not refused.
fn monitor(all: &mut Vec<Condition>) {
    const MONITOR: &[u8] = &[0x0F, 0x01, 0xC8];
    for mode in Mode::ALL {
        let instructions = [("monitor", MONITOR, 1), ("mwait", &[0x0F, 0x01, 0xC9], 2)];
        for (name, bytes, extension) in instructions {
            let ready = |s: &mut Stage| {
                s.state.gpr[Gpr::Rax as usize] = DATA;
                s.state.gpr[Gpr::Rcx as usize] = 0;
                s.state.gpr[Gpr::Rdx as usize] = 0;
            };
            let case =
                move |ring, what: &str| Condition::new(name, mode, ring, what, bytes).with(ready);
            if mode != Mode::Real {
                all.push(case(3, "CPL is not 0").faults(UD, 0u32));
            }
            if mode == Mode::Virtual8086 {
                continue;
            }
            all.push(case(0, "CPL is 0"));
            let asked = move |s: &mut Stage| s.state.gpr[Gpr::Rcx as usize] = extension;
            let unknown = case(0, "ECX asks for an extension that is not there");
            all.push(unknown.with(asked).faults(GP, 0u32));
            let off = |s: &mut Stage| s.state.msr.misc_enable &= !(1 << 18);
            let off = case(0, "IA32_MISC_ENABLE has them off").with(off);
            all.push(off.faults(UD, 0u32));
            let locked = [&[0xF0], bytes].concat();
            let locked = Condition::new(name, mode, 0, "LOCK", &locked).with(ready);
            all.push(locked.faults(UD, 0u32));
            if matches!(mode, Mode::Real | Mode::Protected) {
                let old = case(0, "CPUID.01H:ECX.MONITOR is 0").on("pentium4");
                all.push(old.faults(UD, 0u32));
            }
        }
        let case = |what: &str| Condition::new("monitor", mode, 0, what, MONITOR);
        let at = |linear: u64| {
            move |s: &mut Stage| {
                s.state.gpr[Gpr::Rax as usize] = linear;
                s.state.gpr[Gpr::Rcx as usize] = 0;
            }
        };
        match mode {
            Mode::Real | Mode::Virtual8086 => continue,
            Mode::Protected | Mode::Compatibility => {
                let limit = |s: &mut Stage| s.state.segments[Seg::Ds as usize].limit = 0x87FF;
                let beyond = case("operand beyond the limit").with(at(0x8800));
                all.push(beyond.with(limit).faults(GP, 0u32));
            }
            Mode::Bits64 => {
                let far = case("address is not canonical").with(at(NON_CANONICAL));
                all.push(far.faults(GP, 0u32));
            }
        }
        let absent = case("page is not present").with(at(ABSENT));
        all.push(absent.faults_on_page(ABSENT, 0));
    }
}

fn extended(all: &mut Vec<Condition>) {
    for mode in Mode::ALL {
        let ring = if mode == Mode::Virtual8086 { 3 } else { 0 };
        let get = |what: &str| Condition::new("xgetbv", mode, ring, what, &[0x0F, 0x01, 0xD0]);
        let set = |what: &str| Condition::new("xsetbv", mode, ring, what, &[0x0F, 0x01, 0xD1]);
        let on = |s: &mut Stage| {
            s.state.cr4 |= Cr4::OSXSAVE;
            s.state.gpr[Gpr::Rax as usize] = 3;
        };
        let off = |s: &mut Stage| s.state.cr4 -= Cr4::OSXSAVE;
        let other = |s: &mut Stage| s.state.gpr[Gpr::Rcx as usize] = 2;
        all.push(get("CR4.OSXSAVE is 0").with(off).faults(UD, 0u32));
        all.push(
            get("ECX names no register")
                .with(on)
                .with(other)
                .faults(GP, 0u32),
        );
        if mode == Mode::Virtual8086 {
            continue;
        }
        all.push(set("CR4.OSXSAVE is 0").with(on).with(off).faults(UD, 0u32));
        all.push(
            set("ECX names no register")
                .with(on)
                .with(other)
                .faults(GP, 0u32),
        );
        let value = |v: u64| {
            move |s: &mut Stage| {
                s.state.gpr[Gpr::Rax as usize] = v & 0xFFFF_FFFF;
                s.state.gpr[Gpr::Rdx as usize] = v >> 32;
            }
        };
        let wrong = [
            ("XCR0 bit 0 is 0", 2),
            ("AVX without SSE", 5),
            ("XCR0 bit 8 is reserved", 1 << 8 | 3),
            ("XCR0 bit 62 is reserved", 1 << 62 | 3),
        ];
        for (what, v) in wrong {
            all.push(set(what).with(on).with(value(v)).faults(GP, 0u32));
        }
        let what = "one component of MPX or AVX-512 without the others";
        let why = "no model has MPX or AVX-512";
        all.push(Condition::left_out("xsetbv", mode, what, why));
    }
}

/// LGDT and LIDT of a base that is not canonical.
fn table_bases(all: &mut Vec<Condition>) {
    for (name, modrm) in [("lgdt", 0x17), ("lidt", 0x1F)] {
        let case = Condition::new(
            name,
            Mode::Bits64,
            0,
            "base is not canonical",
            &[0x0F, 0x01, modrm],
        );
        let case = case.with(|s| {
            s.write16(DATA, 0xFFF);
            s.write64(DATA + 2, NON_CANONICAL);
        });
        all.push(case.faults(GP, 0u32));
    }
}

fn invalidate(all: &mut Vec<Condition>) {
    const INVPCID: [u8; 5] = [0x66, 0x0F, 0x38, 0x82, 0x07];
    for mode in [
        Mode::Real,
        Mode::Protected,
        Mode::Compatibility,
        Mode::Bits64,
    ] {
        let case = |what: &str, kind: u64, low: u64, high: u64| {
            let case = Condition::new("invpcid", mode, 0, what, &INVPCID);
            case.with(move |s| {
                s.state.gpr[Gpr::Rax as usize] = kind;
                s.write64(DATA, low);
                s.write64(DATA + 8, high);
            })
        };
        all.push(case("type is above 3", 4, 0, 0).faults(GP, 0u32));
        all.push(case("bits 63 to 12 of the descriptor", 2, 1 << 12, 0).faults(GP, 0u32));
        all.push(case("a PCID for type 0 while CR4.PCIDE is 0", 0, 1, 0).faults(GP, 0u32));
        all.push(case("a PCID for type 1 while CR4.PCIDE is 0", 1, 1, 0).faults(GP, 0u32));
        let far = case("address of type 0 is not canonical", 0, 0, NON_CANONICAL);
        all.push(far.faults(GP, 0u32));
    }
}
