//! A case: the state before, and the instruction.

use super::layout::*;
use super::sandbox::{self, Sandbox};
use iced_x86::{Decoder, DecoderOptions, Formatter, NasmFormatter};

/// Which family of behaviour a case is about.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Kind {
    SegmentLoad,
    Query,
    Privileged,
    FarTransfer,
    FarReturn,
    Interrupt,
    InterruptReturn,
    Page,
    Limit,
    Port,
    Virtual8086,
    Alignment,
    Debug,
    Flags,
    FastCall,
    SystemCall,
    Canonical,
    LongSystem,
}

impl Kind {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::SegmentLoad => "segment-load",
            Self::Query => "query",
            Self::Privileged => "privileged",
            Self::FarTransfer => "far-transfer",
            Self::FarReturn => "far-return",
            Self::Interrupt => "interrupt",
            Self::InterruptReturn => "interrupt-return",
            Self::Page => "page",
            Self::Limit => "limit",
            Self::Port => "port",
            Self::Virtual8086 => "virtual-8086",
            Self::Alignment => "alignment",
            Self::Debug => "debug",
            Self::Flags => "flags",
            Self::FastCall => "fast-call",
            Self::SystemCall => "system-call",
            Self::Canonical => "canonical",
            Self::LongSystem => "long-system",
        }
    }
}

/// A case.
#[derive(Clone)]
pub struct Case {
    pub number: u64,
    pub kind: Kind,
    pub sandbox: Sandbox,
    pub cr0: u32,
    pub cr3: u32,
    pub cr4: u32,
    pub efer: u32,
    pub dr7: u32,
    pub breakpoints: [u32; 3],
    pub ldtr: u16,
    pub gdt_limit: u16,
    pub idt_limit: u16,
    /// EAX ECX EDX EBX EBP ESI EDI.
    pub registers: [u32; 7],
    pub eip: u32,
    pub cs: u16,
    pub eflags: u32,
    pub esp: u32,
    pub ss: u16,
    /// ES DS FS GS.
    pub data: [u16; 4],
    /// The instructions, which lie at CS:EIP.
    pub code: Vec<u8>,
    /// Whether CS is a 32-bit segment, or one of 64-bit code.
    pub wide: bool,
    /// What it has besides in long mode.
    pub long: Option<Long>,
}

/// What a case of long mode has besides.
#[derive(Clone)]
pub struct Long {
    /// Whether it begins in 64-bit mode, not in compatibility mode.
    pub code: bool,
    /// The upper halves of [`Case::registers`].
    pub upper: [u32; 7],
    /// R8 to R15.
    pub extended: [u64; 8],
    /// The upper halves of RIP and RSP.
    pub rip_upper: u32,
    pub rsp_upper: u32,
    /// What [`head::MSRS`] hold.
    pub msrs: [u64; 10],
    /// The process-context identifier; `Some` turns CR4.PCIDE on.
    pub context: Option<u16>,
}

pub const EFLAGS_VM: u32 = 1 << 17;
pub const EFLAGS_NT: u32 = 1 << 14;
pub const CR0_WP: u32 = 1 << 16;
pub const CR0_AM: u32 = 1 << 18;
pub const CR4_PAE: u32 = 1 << 5;
pub const CR4_PSE: u32 = 1 << 4;
pub const CR4_PCIDE: u32 = 1 << 17;
pub const CR4_SMEP: u32 = 1 << 20;
pub const CR4_SMAP: u32 = 1 << 21;

impl Case {
    /// The level at which the instruction is executed.
    pub fn cpl(&self) -> u8 {
        if self.is_virtual() {
            3
        } else {
            (self.cs & 3) as u8
        }
    }

    /// Whether it is executed in virtual-8086 mode.
    pub fn is_virtual(&self) -> bool {
        self.eflags & EFLAGS_VM != 0
    }

    /// Whether it is executed in 64-bit mode.
    pub fn is_64_bit(&self) -> bool {
        self.long.as_ref().is_some_and(|l| l.code)
    }

    /// The linear address of the instruction.
    pub fn code_at(&self) -> u32 {
        if self.is_virtual() {
            return (u32::from(self.cs) << 4) + self.eip;
        }
        if self.is_64_bit() {
            // The higher half's is the same memory.
            return self.eip;
        }
        base_of(self.sandbox.descriptor(self.cs)).wrapping_add(self.eip)
    }

    /// Puts the instructions where they belong.
    pub fn place_code(&mut self) {
        let at = self.code_at();
        let code = self.code.clone();
        self.sandbox.put(at, &code);
    }

    /// The dwords that the runtime reads.
    pub fn encode(&self, pristine: &Sandbox) -> Vec<u32> {
        let mut words = vec![0u32; head::DWORDS];
        words[head::NUMBER] = self.number as u32;
        let by_iret = if self.cpl() != 0 { head::BY_IRET } else { 0 };
        let virtual_8086 = if self.is_virtual() { head::VIRTUAL } else { 0 };
        let long = if self.long.is_some() { head::LONG } else { 0 };
        words[head::FLAGS] = by_iret | virtual_8086 | long;
        if let Some(long) = &self.long {
            self.encode_long(long, &mut words);
        }
        words[head::CR0] = self.cr0;
        words[head::CR3] = self.cr3;
        words[head::CR4] = self.cr4;
        words[head::EFER] = self.efer;
        words[head::DR7] = self.dr7;
        words[head::DR1..head::DR1 + 3].copy_from_slice(&self.breakpoints);
        let pae = self.cr4 & CR4_PAE != 0;
        words[head::OWN_CR3] = if pae { OWN_POINTERS } else { OWN_DIRECTORY };
        words[head::LDTR] = self.ldtr.into();
        words[head::TR] = sandbox::MAIN_TASK.into();
        words[head::GDTR] = u32::from(self.gdt_limit) << 16;
        words[head::GDTR + 1] = GDT;
        words[head::IDTR] = u32::from(self.idt_limit) << 16;
        words[head::IDTR + 1] = IDT;
        words[head::REGISTERS..head::REGISTERS + 7].copy_from_slice(&self.registers);
        words[head::EIP] = self.eip;
        words[head::CS] = self.cs.into();
        words[head::EFLAGS] = self.eflags;
        words[head::ESP] = self.esp;
        words[head::SS] = self.ss.into();
        for (n, s) in self.data.into_iter().enumerate() {
            words[head::ES + n] = s.into();
        }
        let patches = self.sandbox.patches(pristine);
        words.push(patches.len() as u32);
        for (at, bytes) in patches {
            words.push(at as u32 | (bytes.len() as u32 / 4) << 16);
            let dwords = bytes.chunks_exact(4);
            words.extend(dwords.map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]])));
        }
        words[head::LENGTH] = words.len() as u32;
        words
    }

    /// The mnemonic of its first instruction.
    pub fn mnemonic(&self) -> String {
        let bits = self.bits();
        let mut decoder = Decoder::new(bits, &self.code, DecoderOptions::NONE);
        format!("{:?}", decoder.decode().mnemonic()).to_lowercase()
    }

    /// How wide its code is.
    fn bits(&self) -> u32 {
        match self.wide {
            _ if self.is_64_bit() => 64,
            true => 32,
            false => 16,
        }
    }

    fn encode_long(&self, long: &Long, words: &mut [u32]) {
        let mut put = |at: usize, value: u64| {
            words[at] = value as u32;
            words[at + 1] = (value >> 32) as u32;
        };
        let both = |low: u32, upper: u32| u64::from(low) | u64::from(upper) << 32;
        for (n, (&low, &upper)) in self.registers.iter().zip(&long.upper).enumerate() {
            put(head::LONG_REGISTERS + 2 * n, both(low, upper));
        }
        for (n, &r) in long.extended.iter().enumerate() {
            put(head::LONG_REGISTERS + 2 * (7 + n), r);
        }
        let frame = [
            both(self.eip, long.rip_upper),
            self.cs.into(),
            self.eflags.into(),
            both(self.esp, long.rsp_upper),
            self.ss.into(),
        ];
        for (n, v) in frame.into_iter().enumerate() {
            put(head::FRAME + 2 * n, v);
        }
        for (n, &v) in long.msrs.iter().enumerate() {
            put(head::MSR_VALUES + 2 * n, v);
        }
        let context = long.context.map_or(0, u32::from);
        words[head::LONG_CR3] = self.cr3 | context;
        let pcide = if long.context.is_some() { CR4_PCIDE } else { 0 };
        words[head::LONG_CR4] = self.cr4 | pcide;
    }

    /// Its instructions as text.
    pub fn disassembly(&self) -> String {
        let bits = self.bits();
        let ip = u64::from(self.eip);
        let decoder = Decoder::with_ip(bits, &self.code, ip, DecoderOptions::NONE);
        let mut formatter = NasmFormatter::new();
        let mut text = String::new();
        for insn in decoder {
            if !text.is_empty() {
                text.push_str("; ");
            }
            formatter.format(&insn, &mut text);
        }
        text
    }
}

/// The base in a descriptor.
pub fn base_of(raw: u64) -> u32 {
    (raw >> 16) as u32 & 0xFF_FFFF | (raw >> 56 << 24) as u32
}
