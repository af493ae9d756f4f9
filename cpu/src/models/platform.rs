//! What Intel's processors from Nehalem on tell of their clock, and what of their power management software sets.

/// The registers of a processor's clock and power management (SDM vol. 4, tables "MSRs in Processors Based on Nehalem
/// Microarchitecture", "MSRs Supported by Intel Processors Based on Sandy Bridge Microarchitecture", "Additional MSRs
/// Supported by 4th Generation Intel Core Processors").
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Platform {
    /// Clocks of the bus in one of the highest frequency without turbo mode.
    pub highest_ratio: u8,
    /// Clocks of the bus in one of the most efficient frequency, the lowest one.
    pub efficient_ratio: u8,
    /// CPUID can be made to fault at levels other than 0.
    pub cpuid_faulting: bool,
    /// MSR_PKG_CST_CONFIG_CONTROL: the bits that software sets.
    pub package_c_states: u64,
}

/// MSR_PKG_CST_CONFIG_CONTROL: bits 15 to 0 stay as they are until reset.
pub const C_STATES_LOCK: u64 = 1 << 15;

impl Platform {
    /// An i7-920's: 2.67 GHz and 1.6 GHz of 133 MHz. The limit is of 3 bits; interrupts are filtered; states are demoted and
    /// demotions taken back, of cores and of the package.
    pub const NEHALEM: Self = Self {
        highest_ratio: 20,
        efficient_ratio: 12,
        cpuid_faulting: false,
        package_c_states: 0b111 | C_STATES_LOCK | 0x7F << 24,
    };
    /// An i7-2600's: 3.4 GHz and 1.6 GHz of 100 MHz.
    pub const SANDYBRIDGE: Self = Self {
        highest_ratio: 34,
        efficient_ratio: 16,
        cpuid_faulting: false,
        package_c_states: 0b111 | C_STATES_LOCK | 0xF << 25,
    };
    /// Those of an i7-4770 and an i7-6700: 3.4 GHz and 800 MHz of 100 MHz. The limit is of 4 bits.
    pub const HASWELL: Self = Self {
        highest_ratio: 34,
        efficient_ratio: 8,
        cpuid_faulting: true,
        package_c_states: 0b1111 | C_STATES_LOCK | 0xF << 25,
    };
}
