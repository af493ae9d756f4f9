//! What the host's processor is: its maker, where makers differ.

use cpu::CpuModel;
use iced_x86::{CpuidFeature, DecoderOptions};
use std::arch::x86_64::{__cpuid, __cpuid_count};
use std::sync::LazyLock;

/// The leaf with the maker's name (SDM vol. 2, "CPUID").
static IS_AMD: LazyLock<bool> = LazyLock::new(|| {
    let leaf = __cpuid(0);
    let name = [leaf.ebx, leaf.edx, leaf.ecx]
        .map(u32::to_le_bytes)
        .concat();
    matches!(&name[..], b"AuthenticAMD" | b"HygonGenuine")
});

/// Whether AMD made it, or by AMD's design.
pub fn is_amd() -> bool {
    *IS_AMD
}

/// How iced-x86 decodes as it does.
pub fn decoder_options() -> u32 {
    let maker = if is_amd() {
        DecoderOptions::AMD
    } else {
        DecoderOptions::NONE
    };
    DecoderOptions::FORCE_RESERVED_NOP | maker
}

/// A model by the words of the command line, as the host's maker would have built it: one without CPUID stays as it is, and
/// CR8 is there with long mode.
pub fn as_its_maker(model: &str) -> String {
    let base = model.split(',').next().unwrap_or_default();
    match CpuModel::by_name(base) {
        Some(m) if is_amd() && m.has_long_mode() => format!("{model},+amd,+cr8_legacy"),
        Some(m) if is_amd() && m.has(CpuidFeature::CPUID) => format!("{model},+amd"),
        _ => model.into(),
    }
}

/// Whether it notes the x87 operand pointer only for unmasked exceptions (CPUID leaf 07h, EBX bit 6).
pub fn data_pointer_only_for_exceptions() -> bool {
    __cpuid_count(7, 0).ebx & 1 << 6 != 0
}

/// What it calls itself (SDM vol. 2, "CPUID", leaves 8000_0002h to 8000_0004h).
pub fn name() -> String {
    if __cpuid(0x8000_0000).eax < 0x8000_0004 {
        return "a processor without a name".into();
    }
    let mut name = Vec::new();
    for n in 0x8000_0002..=0x8000_0004 {
        let l = __cpuid(n);
        for r in [l.eax, l.ebx, l.ecx, l.edx] {
            name.extend(r.to_le_bytes().into_iter().filter(|b| *b != 0));
        }
    }
    String::from_utf8_lossy(&name).trim().to_owned()
}
