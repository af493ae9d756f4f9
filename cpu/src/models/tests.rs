//! Models as programs see them: what executes on which, and how software tells one from the other.

use super::{CpuModel, Features, model};
use crate::Interpreter;
use crate::decode::decoder_options;
use crate::decode::legacy::Form;
use crate::decode::lower::{Lowering, Rows};
use crate::interpreter::mode;
use crate::tests::Board;
use emu_core::backend::{CpuBackend, CpuId, Exit};
use emu_core::probe::{Delivery, Probe};
use emu_core::x86::{
    CpuState, Cr0, Cr4, Efer, Gpr, Seg, SegmentAttributes as A, SegmentRegister, Selector,
};
use iced_x86::{CpuidFeature as F, Decoder};

/// Counts #UD.
#[derive(Default)]
struct Undefined(u32);

impl Probe for Undefined {
    fn exception(&mut self, d: &Delivery) {
        self.0 += u32::from(d.vector == 6);
    }
}

/// Code at 1000h in the state after reset, but for a code segment at 0 and a stack.
fn after_reset(model: &'static CpuModel) -> CpuState {
    let mut s = model.reset_state();
    s.segments[Seg::Cs as usize].selector = Selector(0);
    s.segments[Seg::Cs as usize].base = 0;
    s.rip = 0x1000;
    s.gpr[Gpr::Rsp as usize] = 0xF000;
    s
}

/// 32-bit protected mode with flat segments and everything switched on that system software switches on.
fn protected(model: &'static CpuModel) -> CpuState {
    let mut s = after_reset(model);
    for (n, segment) in s.segments.iter_mut().enumerate() {
        let mut attributes = A::PRESENT | A::NON_SYSTEM | A::WRITABLE | A::ACCESSED;
        attributes |= A::BIG | A::GRANULAR | A::USABLE;
        if n == Seg::Cs as usize {
            attributes |= A::CODE;
        }
        *segment = SegmentRegister {
            selector: Selector(8),
            base: 0,
            limit: u32::MAX,
            attributes,
        };
    }
    s.cr0 = Cr0::PE;
    let switches = Cr4::OSFXSR | Cr4::OSXMMEXCPT | Cr4::OSXSAVE | Cr4::PKE;
    s.cr4 = Cr4::from_bits_retain(model.cr4) & switches;
    s.efer = Efer::from_bits_retain(model.efer) & Efer::SCE;
    s.simd.xcr0 = model.state_components() | 1;
    s.gpr[Gpr::Rsi as usize] = 0x2000;
    s
}

/// Whether an instruction is something else than undefined.
fn executes(model: &'static CpuModel, state: &CpuState, bytes: &[u8]) -> bool {
    let mut board = Board::new(bytes);
    board.stop_at = 1;
    let mut cpu = Interpreter::new(CpuId(0), model);
    cpu.set_state(state);
    let mut undefined = Undefined::default();
    cpu.run(&mut board, Some(&mut undefined));
    undefined.0 == 0
}

/// Whether an instruction of 64-bit mode is executed.
fn executes_in_64_bits(model: &CpuModel, bytes: &[u8]) -> bool {
    let insn = Decoder::with_ip(64, bytes, 0, decoder_options(model)).decode();
    let mut l = Lowering::new(
        model,
        mode::CODE_64 | mode::PROTECTED,
        None,
        Rows::default(),
    );
    l.lower(&insn, Form::Plain, bytes, 0, bytes.len() as u32);
    !l.refused
}

/// The columns of [`TABLE`]. On the 8086 nothing is undefined.
const COLUMNS: [&str; 20] = [
    "80186",
    "80286",
    "80386",
    "80386+80387",
    "80486",
    "pentium",
    "pentium-mmx",
    "pentium-pro",
    "p6",
    "pentium2",
    "pentium3",
    "athlon",
    "pentium4",
    "core2",
    "nehalem",
    "sandybridge",
    "haswell",
    "skylake",
    "epyc",
    "max",
];

/// An instruction, the mode it is executed in (a model before the 80386: real mode), its bytes, and on which models it
/// is defined: processors before the Pentium; Pentium, MMX; Pentium Pro to III; Athlon, Pentium 4; Core 2 to Skylake;
/// EPYC; max. As the manuals of the processors list their instructions.
type Row = (&'static str, u32, &'static [u8], &'static str);

#[rustfmt::skip]
const TABLE: &[Row] = &[
    ("pusha", 16, &[0x60], "xxxxx xx xxxx xx xxxxx x x"),
    ("imul ax,ax,5", 16, &[0x6B, 0xC0, 5], "xxxxx xx xxxx xx xxxxx x x"),
    ("smsw ax", 16, &[0x0F, 0x01, 0xE0], "-xxxx xx xxxx xx xxxxx x x"),
    ("arpl ax,ax", 32, &[0x63, 0xC0], "--xxx xx xxxx xx xxxxx x x"),
    ("mov eax,cr0", 32, &[0x0F, 0x20, 0xC0], "--xxx xx xxxx xx xxxxx x x"),
    ("bt eax,1", 32, &[0x0F, 0xBA, 0xE0, 1], "--xxx xx xxxx xx xxxxx x x"),
    ("bswap eax", 32, &[0x0F, 0xC8], "----x xx xxxx xx xxxxx x x"),
    ("xadd eax,ecx", 32, &[0x0F, 0xC1, 0xC8], "----x xx xxxx xx xxxxx x x"),
    ("cmpxchg eax,ecx", 32, &[0x0F, 0xB1, 0xC8], "----x xx xxxx xx xxxxx x x"),
    ("invlpg [eax]", 32, &[0x0F, 0x01, 0x38], "----x xx xxxx xx xxxxx x x"),
    ("wbinvd", 32, &[0x0F, 0x09], "----x xx xxxx xx xxxxx x x"),
    ("cpuid", 32, &[0x0F, 0xA2], "----- xx xxxx xx xxxxx x x"),
    ("rdtsc", 32, &[0x0F, 0x31], "----- xx xxxx xx xxxxx x x"),
    ("mov eax,cr4", 32, &[0x0F, 0x20, 0xE0], "----- xx xxxx xx xxxxx x x"),
    ("cmpxchg8b [esi]", 32, &[0x0F, 0xC7, 0x0E], "----- xx xxxx xx xxxxx x x"),
    ("rdpmc", 32, &[0x0F, 0x33], "----- -x xxxx xx xxxxx x x"),
    ("emms", 32, &[0x0F, 0x77], "----- -x --xx xx xxxxx x x"),
    ("cmove eax,ecx", 32, &[0x0F, 0x44, 0xC1], "----- -- xxxx xx xxxxx x x"),
    ("nop [eax]", 32, &[0x0F, 0x1F, 0], "----- -- xxxx xx xxxxx x x"),
    ("sysenter", 32, &[0x0F, 0x34], "----- -- -xxx xx xxxxx x x"),
    ("fxsave [esi]", 32, &[0x0F, 0xAE, 0x06], "----- -- --xx xx xxxxx x x"),
    ("pshufw mm0,mm1,0", 32, &[0x0F, 0x70, 0xC1, 0], "----- -- ---x xx xxxxx x x"),
    ("sfence", 32, &[0x0F, 0xAE, 0xF8], "----- -- ---x xx xxxxx x x"),
    ("movaps xmm0,xmm1", 32, &[0x0F, 0x28, 0xC1], "----- -- ---x -x xxxxx x x"),
    ("movapd xmm0,xmm1", 32, &[0x66, 0x0F, 0x28, 0xC1], "----- -- ---- -x xxxxx x x"),
    ("clflush [esi]", 32, &[0x0F, 0xAE, 0x3E], "----- -- ---- -x xxxxx x x"),
    ("pfadd mm0,mm1", 32, &[0x0F, 0x0F, 0xC1, 0x9E], "----- -- ---- x- ----- - x"),
    ("pswapd mm0,mm1", 32, &[0x0F, 0x0F, 0xC1, 0xBB], "----- -- ---- x- ----- - x"),
    ("femms", 32, &[0x0F, 0x0E], "----- -- ---- x- ----- - x"),
    // Outside of 64-bit mode AMD's processors only; the bytes are LOADALL on an 80286.
    ("syscall", 32, &[0x0F, 0x05], "-x--- -- ---- x- ----- x -"),
    ("monitor", 32, &[0x0F, 0x01, 0xC8], "----- -- ---- -- xxxxx x x"),
    ("addsubps xmm0,xmm1", 32, &[0xF2, 0x0F, 0xD0, 0xC1], "----- -- ---- -- xxxxx x x"),
    ("pabsb xmm0,xmm1", 32, &[0x66, 0x0F, 0x38, 0x1C, 0xC1], "----- -- ---- -- xxxxx x x"),
    ("pminsb xmm0,xmm1", 32, &[0x66, 0x0F, 0x38, 0x38, 0xC1], "----- -- ---- -- -xxxx x x"),
    ("pcmpgtq xmm0,xmm1", 32, &[0x66, 0x0F, 0x38, 0x37, 0xC1], "----- -- ---- -- -xxxx x x"),
    ("popcnt eax,ecx", 32, &[0xF3, 0x0F, 0xB8, 0xC1], "----- -- ---- -- -xxxx x x"),
    ("rdtscp", 32, &[0x0F, 0x01, 0xF9], "----- -- ---- -- -xxxx x x"),
    ("aesenc xmm0,xmm1", 32, &[0x66, 0x0F, 0x38, 0xDC, 0xC1], "----- -- ---- -- --xxx x x"),
    ("pclmullqlqdq", 32, &[0x66, 0x0F, 0x3A, 0x44, 0xC1, 0], "----- -- ---- -- --xxx x x"),
    ("xgetbv", 32, &[0x0F, 0x01, 0xD0], "----- -- ---- -- --xxx x x"),
    ("xsaveopt [esi]", 32, &[0x0F, 0xAE, 0x36], "----- -- ---- -- --xxx x x"),
    ("vaddps ymm0,ymm1,ymm2", 32, &[0xC5, 0xF4, 0x58, 0xC2], "----- -- ---- -- --xxx x x"),
    ("vpaddd ymm0,ymm1,ymm2", 32, &[0xC5, 0xF5, 0xFE, 0xC2], "----- -- ---- -- ---xx x x"),
    ("vfmadd231ps", 32, &[0xC4, 0xE2, 0x75, 0xB8, 0xC2], "----- -- ---- -- ---xx x x"),
    ("vcvtph2ps xmm0,xmm1", 32, &[0xC4, 0xE2, 0x79, 0x13, 0xC1], "----- -- ---- -- ---xx x x"),
    ("rdrand eax", 32, &[0x0F, 0xC7, 0xF0], "----- -- ---- -- ---xx x x"),
    ("rdseed eax", 32, &[0x0F, 0xC7, 0xF8], "----- -- ---- -- ----x x x"),
    ("andn eax,ecx,edx", 32, &[0xC4, 0xE2, 0x70, 0xF2, 0xC2], "----- -- ---- -- ---xx x x"),
    ("pdep eax,ecx,edx", 32, &[0xC4, 0xE2, 0x73, 0xF5, 0xC2], "----- -- ---- -- ---xx x x"),
    ("movbe eax,[esi]", 32, &[0x0F, 0x38, 0xF0, 0x06], "----- -- ---- -- ---xx x x"),
    ("adcx eax,ecx", 32, &[0x66, 0x0F, 0x38, 0xF6, 0xC1], "----- -- ---- -- ----x x x"),
    ("stac", 32, &[0x0F, 0x01, 0xCB], "----- -- ---- -- ----x x x"),
    ("clflushopt [esi]", 32, &[0x66, 0x0F, 0xAE, 0x3E], "----- -- ---- -- ----x x x"),
    ("xsavec [esi]", 32, &[0x0F, 0xC7, 0x26], "----- -- ---- -- ----x x x"),
    ("sha1nexte xmm0,xmm1", 32, &[0x0F, 0x38, 0xC8, 0xC1], "----- -- ---- -- ----- x x"),
    ("clwb [esi]", 32, &[0x66, 0x0F, 0xAE, 0x36], "----- -- ---- -- ----- - x"),
    ("syscall", 64, &[0x0F, 0x05], "----- -- ---- -- xxxxx x x"),
    ("cmpxchg16b [rsi]", 64, &[0x48, 0x0F, 0xC7, 0x0E], "----- -- ---- -- xxxxx x x"),
    ("rdfsbase eax", 64, &[0xF3, 0x0F, 0xAE, 0xC0], "----- -- ---- -- ---xx x x"),
    ("rdpid rax", 64, &[0xF3, 0x0F, 0xC7, 0xF8], "----- -- ---- -- ----- - x"),
];

#[test]
fn each_model_executes_what_its_processor_had_and_raises_ud_for_the_rest() {
    let mut wrong = Vec::new();
    for (text, bits, bytes, marks) in TABLE {
        let marks: Vec<bool> = marks
            .chars()
            .filter(|c| *c != ' ')
            .map(|c| c == 'x')
            .collect();
        assert_eq!(marks.len(), COLUMNS.len(), "{text}");
        for (name, expected) in COLUMNS.into_iter().zip(marks) {
            let model = model(name);
            let executed = match bits {
                64 => model.has_long_mode() && executes_in_64_bits(model, bytes),
                32 if model.processor.is_none() => executes(model, &protected(model), bytes),
                _ => executes(model, &after_reset(model), bytes),
            };
            if executed != expected {
                wrong.push(format!("{name}: {text} ({bits} bits)"));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn taking_a_feature_off_makes_its_instructions_undefined() {
    let aesenc = [0x66, 0x0F, 0x38, 0xDC, 0xC1];
    for (name, expected) in [
        ("haswell", true),
        ("haswell,-aes", false),
        ("core2,+aes", true),
    ] {
        let model = CpuModel::named(name).expect("a model");
        assert_eq!(
            executes(model, &protected(model), &aesenc),
            expected,
            "{name}"
        );
    }
}

#[test]
fn sysenter_is_undefined_in_long_mode_on_amds_processors_only() {
    // In the legacy mode of both it is #GP for want of a code segment.
    for name in ["epyc", "skylake"] {
        let model = model(name);
        let insn = [0x0F, 0x34];
        assert!(executes(model, &protected(model), &insn));
        let mut s = protected(model);
        // Compatibility mode, as far as it matters here: LMA is set.
        s.cr0 |= Cr0::PG;
        s.cr4 |= Cr4::PAE;
        s.efer |= Efer::LME;
        // One table of each level maps the first 2 MiB.
        let mut board = Board::new(&insn);
        for (at, entry) in [(0x3000, 0x4003u64), (0x4000, 0x5003), (0x5000, 0x83)] {
            board.ram[0].write(at, &entry.to_le_bytes());
        }
        s.cr3 = 0x3000;
        board.stop_at = 1;
        let mut cpu = Interpreter::new(CpuId(0), model);
        cpu.set_state(&s);
        let mut undefined = Undefined::default();
        cpu.run(&mut board, Some(&mut undefined));
        assert_eq!(undefined.0 != 0, name == "epyc", "{name}");
    }
}

#[test]
fn syscall_and_sysret_of_the_athlon_go_by_star_and_keep_the_flags() {
    let model = model("athlon");
    let mut s = protected(model);
    s.msr.star = 0x0020_0010_0000_1800;
    // syscall at 1000h; sysret at 1800h.
    let mut board = Board::new(&[0x0F, 0x05]);
    board.ram[0].write(0x1800, &[0x0F, 0x07]);
    board.stop_at = 1;
    let mut cpu = Interpreter::new(CpuId(0), model);
    cpu.set_state(&s);
    cpu.run(&mut board, None);
    let s = cpu.state();
    assert_eq!((s.rip, s.gpr[Gpr::Rcx as usize]), (0x1800, 0x1002));
    let selectors =
        |s: &CpuState| [Seg::Cs, Seg::Ss].map(|seg| s.segments[seg as usize].selector.0);
    assert_eq!(selectors(&s), [0x10, 0x18]);
    board.stop_at = 2;
    cpu.run(&mut board, None);
    let s = cpu.state();
    assert_eq!(s.rip, 0x1002);
    assert_eq!(selectors(&s), [0x23, 0x2B]);
    assert_eq!(s.rflags.bits(), 0x202);
}

/// The classical sequence, as assembled for 1000h. SI: 0 for an 8086, 1 for an 80186, 2 to 4 for an 80286 to 80486, above
/// what CPUID says is the family. DI: how far what PUSH SP pushes is from SP. BP: 1 if a store five bytes ahead is seen.
#[rustfmt::skip]
const DETECTION: &[u8] = &[
    // xor di,di / xor bp,bp / push sp / pop ax / sub ax,sp / mov di,ax
    0x31, 0xFF, 0x31, 0xED, 0x54, 0x58, 0x29, 0xE0, 0x89, 0xC7,
    // Bits 12 to 15 of the flags cannot be cleared: an 8086 or 80186.
    // pushf / pop ax / and ax,0FFFh / push ax / popf / pushf / pop ax / and ax,0F000h / cmp ax,0F000h / je before
    0x9C, 0x58, 0x25, 0xFF, 0x0F, 0x50, 0x9D, 0x9C, 0x58, 0x25, 0x00, 0xF0, 0x3D, 0x00, 0xF0, 0x74, 0x67,
    // They cannot be set: an 80286 in real mode.
    // or ax,0F000h / push ax / popf / pushf / pop ax / and ax,0F000h / mov si,2 / jz done
    0x0D, 0x00, 0xF0, 0x50, 0x9D, 0x9C, 0x58, 0x25, 0x00, 0xF0, 0xBE, 0x02, 0x00, 0x74, 0x6F,
    // AC cannot be toggled: an 80386.
    // pushfd / pop eax / mov ecx,eax / xor eax,40000h / push eax / popfd / pushfd / pop eax / push ecx / popfd
    0x66, 0x9C, 0x66, 0x58, 0x66, 0x89, 0xC1, 0x66, 0x35, 0x00, 0x00, 0x04, 0x00, 0x66, 0x50, 0x66, 0x9D,
    0x66, 0x9C, 0x66, 0x58, 0x66, 0x51, 0x66, 0x9D,
    // xor eax,ecx / mov si,3 / test eax,40000h / jz done
    0x66, 0x31, 0xC8, 0xBE, 0x03, 0x00, 0x66, 0xA9, 0x00, 0x00, 0x04, 0x00, 0x74, 0x48,
    // ID cannot be toggled: an 80486.
    // mov eax,ecx / xor eax,200000h / push eax / popfd / pushfd / pop eax / xor eax,ecx / inc si
    0x66, 0x89, 0xC8, 0x66, 0x35, 0x00, 0x00, 0x20, 0x00, 0x66, 0x50, 0x66, 0x9D, 0x66, 0x9C, 0x66, 0x58,
    0x66, 0x31, 0xC8, 0x46,
    // test eax,200000h / jz done
    0x66, 0xA9, 0x00, 0x00, 0x20, 0x00, 0x74, 0x2B,
    // mov eax,1 / cpuid / mov si,ax / and si,0F00h / mov cl,8 / shr si,cl / jmp done
    0x66, 0xB8, 0x01, 0x00, 0x00, 0x00, 0x0F, 0xA2, 0x89, 0xC6, 0x81, 0xE6, 0x00, 0x0F, 0xB1, 0x08,
    0xD3, 0xEE, 0xEB, 0x17,
    // before: a shift by 33 leaves nothing on an 8086, and is one by 1 on an 80186.
    // mov si,1 / mov cl,33 / mov al,0FFh / shl al,cl / jnz queue / dec si
    0xBE, 0x01, 0x00, 0xB1, 0x21, 0xB0, 0xFF, 0xD2, 0xE0, 0x75, 0x01, 0x4E,
    // queue: the last byte of six is fetched already, the fifth is behind four.
    // mov byte [cs:target],45h (inc bp) / 4 nop / target: nop / done: hlt
    0x2E, 0xC6, 0x06, 0x98, 0x10, 0x45, 0x90, 0x90, 0x90, 0x90, 0x90, 0xF4,
];

#[test]
fn a_classical_detection_sequence_tells_the_processors_apart() {
    // The class, whether PUSH SP pushes the new value, whether a store five bytes ahead is seen.
    for (name, class, pushes_new, late) in [
        ("8086", 0, true, true),
        ("8088", 0, true, false),
        ("8086+8087", 0, true, true),
        ("80186", 1, true, true),
        ("80286", 2, false, true),
        ("80286+80287", 2, false, true),
        ("80386", 3, false, true),
        ("80386+80387", 3, false, true),
        ("80486", 4, false, true),
        ("pentium", 5, false, true),
        ("pentium-mmx", 5, false, true),
        ("pentium-pro", 6, false, true),
        ("p6", 6, false, true),
        ("pentium2", 6, false, true),
        ("pentium3", 6, false, true),
        ("athlon", 6, false, true),
        ("pentium4", 15, false, true),
        ("core2", 6, false, true),
        ("nehalem", 6, false, true),
        ("sandybridge", 6, false, true),
        ("haswell", 6, false, true),
        ("skylake", 6, false, true),
        ("epyc", 15, false, true),
        ("max", 6, false, true),
    ] {
        let model = model(name);
        let mut board = Board::new(DETECTION);
        let mut cpu = Interpreter::new(CpuId(0), model);
        cpu.set_state(&after_reset(model));
        assert_eq!(cpu.run(&mut board, None), Exit::Halted, "{name}");
        let s = cpu.state();
        let word = |r: Gpr| s.gpr[r as usize] as u16;
        let difference = if pushes_new { 0xFFFE } else { 0 };
        // Only the sequence's first branch, of an 8086 or 80186, asks for the queue.
        let seen = u16::from(!late);
        assert_eq!(
            (word(Gpr::Rsi), word(Gpr::Rdi), word(Gpr::Rbp)),
            (class, difference, seen),
            "{name}"
        );
    }
}

#[test]
fn without_a_coprocessor_fninit_and_fnstsw_do_nothing() {
    // fninit / fnstsw [2000h] / hlt
    let code = [0xDB, 0xE3, 0xDD, 0x3E, 0x00, 0x20, 0xF4];
    let without_fpu = CpuModel::named("80486,-fpu").expect("a model");
    for (model, expected) in [
        (model("80386"), 0x5A5A),
        (without_fpu, 0x5A5A),
        (model("80386+80387"), 0),
        (model("80486"), 0),
        (model("pentium"), 0),
    ] {
        let mut board = Board::new(&code);
        board.ram[0].write_u16(0x2000, 0x5A5A);
        let mut cpu = Interpreter::new(CpuId(0), model);
        cpu.set_state(&after_reset(model));
        assert_eq!(cpu.run(&mut board, None), Exit::Halted);
        let mut status = [0; 2];
        board.ram[0].read(0x2000, &mut status);
        assert_eq!(u16::from_le_bytes(status), expected, "{}", model.name);
    }
}

#[test]
fn a_word_at_the_end_of_a_segment_wraps_on_an_8086_and_goes_on_behind_it_on_an_80186() {
    // mov word [0FFFFh],1234h / hlt
    let code = [0xC7, 0x06, 0xFF, 0xFF, 0x34, 0x12, 0xF4];
    for (name, expected) in [("8086", [0x12, 0]), ("80186", [0, 0x12])] {
        let mut board = Board::new(&code);
        let mut cpu = Interpreter::new(CpuId(0), model(name));
        cpu.set_state(&after_reset(model(name)));
        assert_eq!(cpu.run(&mut board, None), Exit::Halted);
        let byte = |at| {
            let mut b = [0];
            board.ram[0].read(at, &mut b);
            b[0]
        };
        assert_eq!((byte(0xFFFF), [byte(0), byte(0x1_0000)]), (0x34, expected));
    }
}

#[test]
fn an_80386_can_switch_et_and_has_no_write_protection_and_an_80486_has() {
    // mov eax,-1 & ~(PG, NW, CD) / mov cr0,eax / mov ebx,cr0 / hlt, still in 16-bit real mode but for PE.
    for (name, value, expected) in [
        ("80386", 0x0001_000Eu32, 0x0E),
        ("80386", 0x0000_0010, 0x10),
        ("80486", 0x0005_000E, 0x0005_001E),
        ("pentium", 0x0005_0020, 0x0005_0030),
    ] {
        let mut code = vec![0x66, 0xB8];
        code.extend(value.to_le_bytes());
        code.extend([0x0F, 0x22, 0xC0, 0x0F, 0x20, 0xC3, 0xF4]);
        let mut board = Board::new(&code);
        let mut cpu = Interpreter::new(CpuId(0), model(name));
        cpu.set_state(&after_reset(model(name)));
        assert_eq!(cpu.run(&mut board, None), Exit::Halted);
        assert_eq!(cpu.state().gpr[Gpr::Rbx as usize], expected, "{name}");
    }
}

#[test]
fn cpuid_leaf_1_is_that_of_the_processors_that_were_sold_where_they_have_no_more_than_we() {
    // EAX and EDX as AP-485 and /proc/cpuinfo of real machines have them; EDX without what the model lacks.
    for (name, signature, edx) in [
        ("pentium", 0x052C, 0x0000_03BF),
        ("pentium-mmx", 0x0543, 0x0080_03BF),
        // SYSENTER's bit, which the real chip sets without having it.
        ("pentium-pro", 0x0619, 0x0000_FBFF & !(1 << 11)),
        ("p6", 0x0634, 0x0000_FBFF),
        ("pentium2", 0x0652, 0x0183_FBFF),
        ("pentium3", 0x0686, 0x0383_FBFF),
        ("athlon", 0x0642, 0x0183_FBFF),
        // DS, ACPI, SS, HTT, TM, PBE.
        ("pentium4", 0x0F29, 0xBFEB_FBFF & !0xB860_0000u32),
        ("core2", 0x06F6, 0xBFEB_FBFF & !0xB860_0000u32),
        ("nehalem", 0x0001_06A5, 0xBFEB_FBFF & !0xB860_0000u32),
        ("sandybridge", 0x0002_06A7, 0xBFEB_FBFF & !0xB860_0000u32),
        ("haswell", 0x0003_06C3, 0xBFEB_FBFF & !0xB860_0000u32),
        ("skylake", 0x0005_06E3, 0xBFEB_FBFF & !0xB860_0000u32),
        // HTT.
        ("epyc", 0x0080_0F12, 0x178B_FBFF & !(1u32 << 28)),
    ] {
        let [a, .., d] = model(name).cpuid(1, 0);
        assert_eq!((a, d), (signature, edx), "{name}: {d:08X}");
        assert_eq!(
            model(name).reset_state().gpr[Gpr::Rdx as usize],
            signature.into()
        );
    }
    // EDX of leaf 8000_0001h.
    assert_eq!(model("athlon").cpuid(0x8000_0001, 0)[3], 0xC1C3_FBFF);
    assert_eq!(model("core2").cpuid(0x8000_0001, 0)[3], 0x2010_0800);
    assert_eq!(model("haswell").cpuid(0x8000_0001, 0)[3], 0x2C10_0800);
    // "cAMD" in ECX.
    assert_eq!(model("epyc").cpuid(0, 0)[2], 0x444D_4163);
    // AMD's processors answer zeros where Intel's answer as the highest leaf.
    assert_eq!(model("athlon").cpuid(2, 0), [0; 4]);
    assert_eq!(
        model("pentium").cpuid(0x8000_0000, 0),
        model("pentium").cpuid(1, 0)
    );
    assert_eq!(model("80486").cpuid(1, 0), [0; 4]);
}

#[test]
fn the_p6_answers_cpuid_as_ever() {
    let p6 = CpuModel::P6;
    assert_eq!(p6.cpuid(0, 0), [2, 0x756E_6547, 0x6C65_746E, 0x4965_6E69]);
    assert_eq!(p6.cpuid(1, 0), [0x0634, 0, 0, 0xFBFF]);
    assert_eq!(p6.cpuid(2, 0), [0x0302_0101, 0, 0, 0x0C04_0843]);
    assert_eq!(p6.cpuid(0x8000_0000, 0), p6.cpuid(2, 0));
    assert_eq!((p6.cr4, p6.efer, p6.cr0), (0x1FF, 0, 0xE005_003F));
    let max = model("max");
    assert_eq!((max.cr4, max.efer), (0x0077_1FFF, 0xD01));
    assert_eq!(max.cpuid(1, 0)[2..], [0x77FA_B20B, 0x078B_FBFF]);
}

#[test]
fn no_model_executes_what_the_richest_does_not_know() {
    let max = model("max");
    for m in CpuModel::ALL.iter().filter(|m| m.processor.is_none()) {
        let ours: Features = m.features;
        // PREFETCHW is a hint on every processor since the Pentium Pro.
        let strange: Vec<F> = ours
            .iter()
            .filter(|f| !max.has(*f) && *f != F::PREFETCHW)
            .collect();
        assert_eq!(strange, [], "{}", m.name);
    }
}
