//! Loading selectors: segment registers, LDTR, TR (SDM vol. 2, "MOV", "POP", "LDS/LES/LFS/LGS/LSS", "LLDT", "LTR").

use super::condition::{AC, Condition, GP, NP, SS, UD};
use super::instructions::far_pointer;
use super::stage::*;
use emu_core::x86::{Cr0, Gpr, Rflags, Seg, SegmentRegister};

pub const PROTECTED: [Mode; 3] = [Mode::Protected, Mode::Compatibility, Mode::Bits64];

/// A way to load a segment register.
struct Load {
    name: &'static str,
    bytes: &'static [u8],
    stack: bool,
    how: How,
    bits64: bool,
}

#[derive(Copy, Clone)]
enum How {
    /// From AX.
    Register,
    /// From the stack.
    Pop,
    /// From a far pointer at [`DATA`].
    Pointer,
}

const fn load(
    name: &'static str,
    bytes: &'static [u8],
    stack: bool,
    how: How,
    bits64: bool,
) -> Load {
    Load {
        name,
        bytes,
        stack,
        how,
        bits64,
    }
}

const LOADS: [Load; 15] = [
    load("mov es", &[0x8E, 0xC0], false, How::Register, true),
    load("mov ss", &[0x8E, 0xD0], true, How::Register, true),
    load("mov ds", &[0x8E, 0xD8], false, How::Register, true),
    load("mov fs", &[0x8E, 0xE0], false, How::Register, true),
    load("mov gs", &[0x8E, 0xE8], false, How::Register, true),
    load("pop es", &[0x07], false, How::Pop, false),
    load("pop ss", &[0x17], true, How::Pop, false),
    load("pop ds", &[0x1F], false, How::Pop, false),
    load("pop fs", &[0x0F, 0xA1], false, How::Pop, true),
    load("pop gs", &[0x0F, 0xA9], false, How::Pop, true),
    load("lds", &[0xC5, 0x07], false, How::Pointer, false),
    load("les", &[0xC4, 0x07], false, How::Pointer, false),
    load("lss", &[0x0F, 0xB2, 0x07], true, How::Pointer, true),
    load("lfs", &[0x0F, 0xB4, 0x07], false, How::Pointer, true),
    load("lgs", &[0x0F, 0xB5, 0x07], false, How::Pointer, true),
];

impl How {
    fn put(self, s: &mut Stage, selector: u16) {
        match self {
            Self::Register => s.state.gpr[Gpr::Rax as usize] = selector.into(),
            Self::Pop => s.push_all(&[selector.into()]),
            Self::Pointer => far_pointer(s, DATA, 0, selector),
        }
    }
}

pub fn conditions() -> Vec<Condition> {
    let mut all = Vec::new();
    for l in &LOADS {
        for mode in PROTECTED {
            if !l.bits64 && mode == Mode::Bits64 {
                if matches!(l.how, How::Pop) {
                    let case = Condition::new(l.name, mode, 3, "not in 64-bit mode", l.bytes);
                    all.push(case.faults(UD, 0u32));
                }
                continue;
            }
            if l.stack {
                stack_segment(&mut all, l, mode);
            } else {
                data_segment(&mut all, l, mode);
            }
        }
        if matches!(l.how, How::Pop) {
            pops(&mut all, l);
        }
    }
    for mode in Mode::ALL {
        let mov = |what, modrm| Condition::new("mov sreg", mode, 3, what, &[0x8E, modrm]);
        all.push(mov("CS is the destination", 0xC8).faults(UD, 0u32));
        all.push(mov("register 6 is none", 0xF0).faults(UD, 0u32));
        all.push(mov("register 7 is none", 0xF8).faults(UD, 0u32));
        let store = |what, modrm| Condition::new("mov sreg", mode, 3, what, &[0x8C, modrm]);
        all.push(store("register 6 is none, as the source", 0xF0).faults(UD, 0u32));
    }
    tables(&mut all);
    table_pages(&mut all);
    all
}

/// The stage's own descriptor, of a kind.
fn own(access: u8) -> impl Fn(&mut Stage) {
    move |s| {
        let flags = if access & 0x18 == 0x18 && s.mode == Mode::Bits64 {
            0xA
        } else {
            0xC
        };
        s.entry(OWN, descriptor(0, 0xF_FFFF, access, flags));
    }
}

fn data_segment(all: &mut Vec<Condition>, l: &Load, mode: Mode) {
    let how = l.how;
    let case = |ring: u8, what: &str, selector: u16| {
        let case = Condition::new(l.name, mode, ring, what, l.bytes);
        case.with(move |s| how.put(s, selector))
    };
    let mine = |ring: u8| OWN | u16::from(ring);
    all.push(case(3, "a null selector is loaded", 3));
    all.push(case(3, "selector of a data segment", DATA_3));
    all.push(case(3, "selector beyond the GDT", BEYOND | 3).faults(GP, BEYOND));
    all.push(case(3, "selector beyond the LDT", 0x80 | 7).faults(GP, 0x84u32));
    let no_table = |s: &mut Stage| s.state.ldtr = SegmentRegister::default();
    let local = case(3, "LDTR is null and the selector local", 7).with(no_table);
    all.push(local.faults(GP, 4u32));
    let opaque = own(CODE_EXECUTE_ONLY | DPL_3);
    all.push(
        case(3, "segment is execute-only code", mine(3))
            .with(opaque)
            .faults(GP, OWN),
    );
    all.push(case(3, "descriptor is of the system", LOCAL_TABLE | 3).faults(GP, LOCAL_TABLE));
    all.push(case(3, "CPL above DPL of data", DATA_0).faults(GP, DATA_0));
    all.push(case(0, "RPL above DPL of data", DATA_0 | 3).faults(GP, DATA_0));
    let code = own(CODE_READABLE);
    all.push(
        case(3, "CPL above DPL of nonconforming code", mine(3))
            .with(code)
            .faults(GP, OWN),
    );
    let conforming = own(CODE_CONFORMING);
    all.push(case(3, "conforming code of DPL 0 is loaded", mine(3)).with(conforming));
    let absent = own((DATA_WRITABLE | DPL_3) & !PRESENT);
    all.push(
        case(3, "segment is not present", mine(3))
            .with(absent)
            .faults(NP, OWN),
    );
}

fn stack_segment(all: &mut Vec<Condition>, l: &Load, mode: Mode) {
    let how = l.how;
    let case = |ring: u8, what: &str, selector: u16| {
        let case = Condition::new(l.name, mode, ring, what, l.bytes);
        case.with(move |s| how.put(s, selector))
    };
    let mine = OWN | 3;
    all.push(case(3, "selector of a stack", DATA_3));
    all.push(case(3, "selector is null", 3).faults(GP, 0u32));
    if mode == Mode::Bits64 {
        all.push(case(0, "a null selector with RPL 0 is loaded", 0));
        all.push(case(0, "selector is null and RPL is not CPL", 1).faults(GP, 0u32));
    } else {
        all.push(case(0, "selector is null", 0).faults(GP, 0u32));
    }
    all.push(case(3, "selector beyond the GDT", BEYOND | 3).faults(GP, BEYOND));
    all.push(case(3, "RPL is not CPL", DATA_3 & !3).faults(GP, DATA_3 & !3));
    all.push(case(3, "DPL is not CPL", DATA_0 | 3).faults(GP, DATA_0));
    let fixed = own(DATA_READ_ONLY | DPL_3);
    all.push(
        case(3, "segment is not writable", mine)
            .with(fixed)
            .faults(GP, OWN),
    );
    let code = own(CODE_READABLE | DPL_3);
    all.push(case(3, "segment is code", mine).with(code).faults(GP, OWN));
    all.push(case(3, "descriptor is of the system", LOCAL_TABLE | 3).faults(GP, LOCAL_TABLE));
    let absent = own((DATA_WRITABLE | DPL_3) & !PRESENT);
    all.push(
        case(3, "segment is not present", mine)
            .with(absent)
            .faults(SS, OWN),
    );
}

/// The stack that POP reads.
fn pops(all: &mut Vec<Condition>, l: &Load) {
    let modes = [
        Mode::Virtual8086,
        Mode::Protected,
        Mode::Compatibility,
        Mode::Bits64,
    ];
    for mode in modes.into_iter().filter(|m| l.bits64 || *m != Mode::Bits64) {
        let case = |what: &str| Condition::new(l.name, mode, 3, what, l.bytes);
        let absent = |s: &mut Stage| s.state.gpr[Gpr::Rsp as usize] = ABSENT;
        all.push(
            case("page of the stack is not present")
                .with(absent)
                .faults_on_page(ABSENT, 4),
        );
        let misaligned = |s: &mut Stage| {
            s.state.cr0 |= Cr0::AM;
            s.state.rflags |= Rflags::AC;
            s.state.gpr[Gpr::Rsp as usize] = STACK_3 - 15;
        };
        let aligned = case("alignment of the stack is checked").with(misaligned);
        all.push(aligned.faults(AC, 0u32));
        match mode {
            Mode::Virtual8086 => {
                let end = |s: &mut Stage| s.state.gpr[Gpr::Rsp as usize] = 0xFFFF;
                all.push(
                    case("top of the stack beyond FFFFh")
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
                    case("top of the stack beyond the limit")
                        .with(short)
                        .faults(SS, 0u32),
                );
            }
        }
    }
}

/// The page of the GDT that holds the descriptor is not there: the processor's own access is a supervisor's read.
fn table_pages(all: &mut Vec<Condition>) {
    /// The first descriptors, those of the handlers, lie on the page before.
    const PRESENT_BYTES: u64 = 0x40;
    for mode in PROTECTED {
        let far: &[u8] = if mode == Mode::Bits64 {
            &[0x48, 0xCB]
        } else {
            &[0xCB]
        };
        let iret: &[u8] = if mode == Mode::Bits64 {
            &[0x48, 0xCF]
        } else {
            &[0xCF]
        };
        let users: [(&'static str, &[u8], u8); 10] = [
            ("mov ds", &[0x8E, 0xD8], 3),
            ("lar", &[0x0F, 0x02, 0xC8], 3),
            ("lsl", &[0x0F, 0x03, 0xC8], 3),
            ("verr", &[0x0F, 0x00, 0xE0], 3),
            ("verw", &[0x0F, 0x00, 0xE8], 3),
            ("lldt", &[0x0F, 0x00, 0xD0], 0),
            ("ltr", &[0x0F, 0x00, 0xD8], 0),
            ("call far", &[0xFF, 0x1F], 3),
            ("ret far", far, 3),
            ("iret", iret, 3),
        ];
        for (name, bytes, ring) in users {
            let selector = OWN | u16::from(ring);
            let case = Condition::new(
                name,
                mode,
                ring,
                "page of the descriptor is not present",
                bytes,
            );
            let case = case.with(move |s| {
                let mut first = [0; PRESENT_BYTES as usize];
                s.read(GDT, &mut first);
                s.write(ABSENT - PRESENT_BYTES, &first);
                s.state.gdtr.base = ABSENT - PRESENT_BYTES;
                s.state.gpr[Gpr::Rax as usize] = selector.into();
                match name {
                    "call far" => far_pointer(s, DATA, CODE, selector),
                    "ret far" | "iret" => s.push_all(&[CODE, selector.into(), 2, STACK_3, 0x23]),
                    _ => {}
                }
            });
            let at = ABSENT + u64::from(OWN) - PRESENT_BYTES;
            all.push(case.faults_on_page(at, 0));
        }
    }
}

/// LLDT and LTR.
fn tables(all: &mut Vec<Condition>) {
    for mode in PROTECTED {
        let lldt = |what: &str, selector: u16| {
            let case = Condition::new("lldt", mode, 0, what, &[0x0F, 0x00, 0xD0]);
            case.with(move |s| s.state.gpr[0] = selector.into())
        };
        let ltr = |what: &str, selector: u16| {
            let case = Condition::new("ltr", mode, 0, what, &[0x0F, 0x00, 0xD8]);
            case.with(move |s| s.state.gpr[0] = selector.into())
        };
        let local = LOCAL_TABLE | 4;
        all.push(lldt("a null selector is loaded", 0));
        all.push(lldt("selector is local", local).faults(GP, local));
        all.push(lldt("selector beyond the GDT", BEYOND).faults(GP, BEYOND));
        all.push(lldt("descriptor is a data segment's", DATA_0).faults(GP, DATA_0));
        all.push(lldt("descriptor is a task's", OTHER_TASK).faults(GP, OTHER_TASK));
        let absent = |access: u8| {
            move |s: &mut Stage| s.entry(OWN, descriptor(TSS, 0x67, access & !PRESENT, 0))
        };
        all.push(
            lldt("table is not present", OWN)
                .with(absent(LDT_TYPE))
                .faults(NP, OWN),
        );
        all.push(ltr("selector is null", 0).faults(GP, 0u32));
        all.push(ltr("selector is local", local).faults(GP, local));
        all.push(ltr("selector beyond the GDT", BEYOND).faults(GP, BEYOND));
        all.push(ltr("descriptor is a data segment's", DATA_0).faults(GP, DATA_0));
        all.push(ltr("descriptor is an LDT's", LOCAL_TABLE).faults(GP, LOCAL_TABLE));
        all.push(ltr("task is busy", MAIN_TASK).faults(GP, MAIN_TASK));
        all.push(
            ltr("task is not present", OWN)
                .with(absent(TASK_AVAILABLE))
                .faults(NP, OWN),
        );
        if mode.is_long() {
            let upper = |s: &mut Stage| {
                s.entry(OWN, descriptor(TSS, 0x67, TASK_AVAILABLE, 0));
                s.write64(GDT + u64::from(OWN) + 8, 0x0100_0000_0000);
            };
            all.push(
                ltr("upper half of the descriptor has a type", OWN)
                    .with(upper)
                    .faults(GP, OWN),
            );
            let narrow = |s: &mut Stage| s.entry(OWN, descriptor(TSS, 0x67, 0x81, 0));
            all.push(ltr("task is of 16 bits", OWN).with(narrow).faults(GP, OWN));
        }
    }
}
