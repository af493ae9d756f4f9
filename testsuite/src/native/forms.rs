//! Which forms of iced-x86's table are compared, and why the others are not.

use super::case::CodeSize;
use super::host;
use cpu::CpuModel;
use iced_x86::{Code, CpuidFeature as F, EncodingKind, Mnemonic as M, OpCodeInfo};
use std::collections::BTreeMap;

/// Why a form is not compared.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Why {
    /// The model does not execute it.
    NotOffered,
    /// The host does not.
    HostLacks,
    /// By name, with the reason.
    LeftOut(&'static str),
}

impl Why {
    /// In words.
    pub fn text(self) -> String {
        match self {
            Self::NotOffered => "not offered by the model".into(),
            Self::HostLacks => "the host lacks it".into(),
            Self::LeftOut(reason) => format!("left out ({reason})"),
        }
    }
}

/// The forms of a code size.
#[derive(Debug, Default)]
pub struct Forms {
    /// Those that are compared.
    pub compared: Vec<Code>,
    /// Those that are not.
    pub others: BTreeMap<Why, Vec<Code>>,
}

impl Forms {
    /// The forms of a code size on a model.
    pub fn new(model: &CpuModel, size: CodeSize) -> Self {
        let mut forms = Self::default();
        for code in Code::values() {
            let info = code.op_code();
            let (exists, by_amd, by_intel) = match size {
                CodeSize::Bits16 => (info.mode16(), info.amd_decoder16(), info.intel_decoder16()),
                CodeSize::Bits32 => (
                    info.mode32() && info.compatibility_mode(),
                    info.amd_decoder32(),
                    info.intel_decoder32(),
                ),
                CodeSize::Bits64 => (info.mode64(), info.amd_decoder64(), info.intel_decoder64()),
            };
            let here = exists && if host::is_amd() { by_amd } else { by_intel };
            // Forms with FWAIT are two instructions.
            if !here || !info.is_instruction() || info.fwait() || !decodes_by_default(info) {
                continue;
            }
            match why_not(model, code) {
                None => forms.compared.push(code),
                Some(why) => forms.others.entry(why).or_default().push(code),
            }
        }
        forms
    }
}

/// What the host's maker decodes; other makers' readings of the same bytes need other decoder options.
fn decodes_by_default(info: &OpCodeInfo) -> bool {
    info.decoder_option() & !host::decoder_options() == 0
}

fn why_not(model: &CpuModel, code: Code) -> Option<Why> {
    let features = code.cpuid_features();
    if !features.iter().all(|f| model.has(*f)) {
        return Some(Why::NotOffered);
    }
    if let Some(reason) = left_out(code) {
        return Some(Why::LeftOut(reason));
    }
    let drawn = matches!(
        code.op_code().encoding(),
        EncodingKind::Legacy | EncodingKind::VEX
    );
    if !drawn || !features.iter().all(|f| host_has(*f)) {
        return Some(Why::HostLacks);
    }
    None
}

/// Hints: the same bytes are compared under another name.
const RESERVED_NOP: &str = "compared as the ReservedNop form that has the same bytes";

/// What is left out by name.
fn left_out(code: Code) -> Option<&'static str> {
    Some(match code.mnemonic() {
        M::Cpuid => "CPUID: the model's leaves are its own",
        M::Rdtsc | M::Rdtscp | M::Rdpmc => "counters differ from run to run",
        M::Rdrand | M::Rdseed => "random numbers",
        M::Rdpid => "tells the host's CPU number",
        M::Sgdt | M::Sidt | M::Sldt | M::Str | M::Smsw => {
            "UMIP: Linux emulates it with dummy values"
        }
        M::Syscall | M::Sysenter => "calls the host's kernel",
        M::Xbegin | M::Xend | M::Xabort | M::Xtest => "transactions: the host may abort any",
        M::Vmcall | M::Vmmcall | M::Vmfunc => "calls the host's hypervisor",
        M::Umonitor | M::Umwait | M::Tpause | M::Monitor | M::Mwait => "waits",
        M::Getsec | M::Encls | M::Enclu | M::Enclv => "the host's security features",
        M::Xgetbv => "XCR0 is the host kernel's choice",
        M::Wrpkru | M::Rdpkru => "PKRU is the host kernel's choice",
        M::Xsave | M::Xsave64 | M::Xsavec | M::Xsavec64 | M::Xsaveopt | M::Xsaveopt64 => {
            "which components are in use is the host kernel's choice"
        }
        M::Xrstor | M::Xrstor64 => "which components exist is the host kernel's choice",
        M::Nop if code.op_code().op_count() == 1 => RESERVED_NOP,
        M::Prefetch | M::Prefetchw | M::Prefetchwt1 | M::Prefetchit0 | M::Prefetchit1 => {
            RESERVED_NOP
        }
        M::Prefetchnta | M::Prefetcht0 | M::Prefetcht1 | M::Prefetcht2 => RESERVED_NOP,
        M::Cldemote | M::Rdsspd | M::Rdsspq => RESERVED_NOP,
        M::Endbr32 | M::Endbr64 => RESERVED_NOP,
        M::Rsm => "only in system management mode",
        _ => return None,
    })
}

/// Whether the host's processor has a feature, as far as forms with it can be compared.
fn host_has(feature: F) -> bool {
    match feature {
        F::INTEL8086 | F::INTEL186 | F::INTEL286 | F::INTEL386 | F::INTEL486 | F::X64 => true,
        F::CPUID | F::CMOV | F::CX8 | F::TSC | F::MSR | F::RDPMC | F::SEP | F::SMM | F::PAUSE => {
            true
        }
        F::FPU
        | F::FPU287
        | F::FPU387
        | F::MULTIBYTENOP
        | F::MMX
        | F::FXSR
        | F::CLFSH
        | F::SYSCALL => true,
        F::SSE => is_x86_feature_detected!("sse"),
        F::SSE2 => is_x86_feature_detected!("sse2"),
        F::SSE3 => is_x86_feature_detected!("sse3"),
        F::SSSE3 => is_x86_feature_detected!("ssse3"),
        F::SSE4_1 => is_x86_feature_detected!("sse4.1"),
        F::SSE4_2 => is_x86_feature_detected!("sse4.2"),
        F::AES => is_x86_feature_detected!("aes"),
        F::PCLMULQDQ => is_x86_feature_detected!("pclmulqdq"),
        F::AVX => is_x86_feature_detected!("avx"),
        F::AVX2 => is_x86_feature_detected!("avx2"),
        F::FMA => is_x86_feature_detected!("fma"),
        F::F16C => is_x86_feature_detected!("f16c"),
        F::BMI1 => is_x86_feature_detected!("bmi1"),
        F::BMI2 => is_x86_feature_detected!("bmi2"),
        F::ADX => is_x86_feature_detected!("adx"),
        F::MOVBE => is_x86_feature_detected!("movbe"),
        F::POPCNT => is_x86_feature_detected!("popcnt"),
        F::LZCNT => is_x86_feature_detected!("lzcnt"),
        F::CMPXCHG16B => is_x86_feature_detected!("cmpxchg16b"),
        F::SHA => is_x86_feature_detected!("sha"),
        F::VAES => is_x86_feature_detected!("vaes"),
        F::VPCLMULQDQ => is_x86_feature_detected!("vpclmulqdq"),
        // The child's handler needs FSGSBASE itself; XSAVE comes with AVX.
        F::FSGSBASE => true,
        F::XSAVE | F::XSAVEC | F::XSAVEOPT => is_x86_feature_detected!("xsave"),
        F::CLFLUSHOPT | F::CLWB | F::PREFETCHW => extended_feature(feature),
        _ => false,
    }
}

/// Features that the standard library does not name (SDM vol. 2, "CPUID", leaves 07h and 8000_0001h).
fn extended_feature(feature: F) -> bool {
    let seven = std::arch::x86_64::__cpuid_count(7, 0);
    match feature {
        F::CLFLUSHOPT => seven.ebx & 1 << 23 != 0,
        F::CLWB => seven.ebx & 1 << 24 != 0,
        F::PREFETCHW => std::arch::x86_64::__cpuid(0x8000_0001).ecx & 1 << 8 != 0,
        _ => false,
    }
}
