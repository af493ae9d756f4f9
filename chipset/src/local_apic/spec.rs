//! Registers of the local APIC: Intel 64 and IA-32 Architectures Software Developer's Manual (SDM), volume 3, chapter
//! "Advanced Programmable Interrupt Controller (APIC)"; sections cited are of it (edition of 2023, chapter 11 there,
//! 10 in older ones).

use bitflags::bitflags;
use emu_core::backend::LapicRegister;

/// Where the registers stand after reset (section 11.4.5).
pub const DEFAULT_BASE: u64 = 0xFEE0_0000;
/// The registers fill one page.
pub const BYTES: u64 = 0x1000;
/// Registers stand 16 bytes apart; only the first four of them are used.
pub const STRIDE: u64 = 0x10;

/// A register by its number: its offset divided by 16, which is its MSR's number minus 800h too (tables 11-1 and 11-6).
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the manual's names")]
pub enum Reg {
    Id,
    Version,
    TaskPriority,
    ArbitrationPriority,
    ProcessorPriority,
    Eoi,
    RemoteRead,
    LogicalDestination,
    DestinationFormat,
    SpuriousVector,
    /// A doubleword of the in-service register.
    InService(u8),
    /// A doubleword of the trigger mode register.
    TriggerMode(u8),
    /// A doubleword of the interrupt request register.
    Request(u8),
    ErrorStatus,
    CommandLow,
    CommandHigh,
    /// An entry of the local vector table.
    Lvt(Lvt),
    InitialCount,
    CurrentCount,
    DivideConfiguration,
    /// x2APIC mode only.
    SelfIpi,
}

impl Reg {
    /// The register of that number.
    pub fn at(number: u8) -> Option<Self> {
        Some(match number {
            0x02 => Self::Id,
            0x03 => Self::Version,
            0x08 => Self::TaskPriority,
            0x09 => Self::ArbitrationPriority,
            0x0A => Self::ProcessorPriority,
            0x0B => Self::Eoi,
            0x0C => Self::RemoteRead,
            0x0D => Self::LogicalDestination,
            0x0E => Self::DestinationFormat,
            0x0F => Self::SpuriousVector,
            0x10..=0x17 => Self::InService(number & 7),
            0x18..=0x1F => Self::TriggerMode(number & 7),
            0x20..=0x27 => Self::Request(number & 7),
            0x28 => Self::ErrorStatus,
            0x2F => Self::Lvt(Lvt::Cmci),
            0x30 => Self::CommandLow,
            0x31 => Self::CommandHigh,
            0x32 => Self::Lvt(Lvt::Timer),
            0x33 => Self::Lvt(Lvt::Thermal),
            0x34 => Self::Lvt(Lvt::Performance),
            0x35 => Self::Lvt(Lvt::Lint0),
            0x36 => Self::Lvt(Lvt::Lint1),
            0x37 => Self::Lvt(Lvt::Error),
            0x38 => Self::InitialCount,
            0x39 => Self::CurrentCount,
            0x3E => Self::DivideConfiguration,
            0x3F => Self::SelfIpi,
            _ => return None,
        })
    }
}

/// An entry of the local vector table (section 11.5.1).
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the manual's names")]
pub enum Lvt {
    Timer,
    Thermal,
    Performance,
    Lint0,
    Lint1,
    Error,
    Cmci,
}

impl Lvt {
    /// All entries, in the order of their numbers.
    pub const ALL: [Self; 7] = [
        Self::Timer,
        Self::Thermal,
        Self::Performance,
        Self::Lint0,
        Self::Lint1,
        Self::Error,
        Self::Cmci,
    ];
}

/// An LVT entry after reset: masked.
pub const LVT_RESET: u32 = LVT_MASKED;
/// The vector of an LVT entry, of the ICR, of the spurious-interrupt register.
pub const VECTOR: u32 = 0xFF;
/// Delivery mode of an LVT entry or the ICR.
pub const DELIVERY: u32 = 7 << 8;
/// Its place.
pub const DELIVERY_SHIFT: u32 = 8;
/// The interrupt was not yet accepted; read only.
pub const DELIVERY_STATUS: u32 = 1 << 12;
/// LINT0 and LINT1 are active low.
pub const LVT_ACTIVE_LOW: u32 = 1 << 13;
/// A level-triggered interrupt of a LINT pin is being served; read only.
pub const LVT_REMOTE_IRR: u32 = 1 << 14;
/// LINT0 and LINT1 are level triggered.
pub const LVT_LEVEL: u32 = 1 << 15;
/// The entry is masked.
pub const LVT_MASKED: u32 = 1 << 16;
/// The timer counts periodically.
pub const TIMER_PERIODIC: u32 = 1 << 17;
/// The timer waits for the time-stamp counter.
pub const TIMER_TSC_DEADLINE: u32 = 1 << 18;

/// Delivery modes (sections 11.5.1 and 11.6.1).
pub mod delivery {
    #![expect(missing_docs, reason = "the manual's names")]
    pub const FIXED: u32 = 0;
    pub const LOWEST_PRIORITY: u32 = 1;
    pub const SMI: u32 = 2;
    pub const NMI: u32 = 4;
    pub const INIT: u32 = 5;
    pub const STARTUP: u32 = 6;
    pub const EXT_INT: u32 = 7;
}

/// Spurious-interrupt vector register (section 11.9): the APIC is enabled by software.
pub const SVR_ENABLE: u32 = 1 << 8;
/// Focus processor checking is off.
pub const SVR_NO_FOCUS: u32 = 1 << 9;
/// EOIs are not broadcast (where the version register says that this can be).
pub const SVR_SUPPRESS_EOI: u32 = 1 << 12;
/// Its value after reset.
pub const SVR_RESET: u32 = 0xFF;

/// Destination format register: the model (section 11.6.2.2). All other bits are 1.
pub const DFR_MODEL: u32 = 0xF << 28;
/// DFR: the cluster model; all ones in [`DFR_MODEL`] are the flat one.
pub const DFR_CLUSTER: u32 = 0;

/// ICR: the destination is logical.
pub const ICR_LOGICAL: u32 = 1 << 11;
/// ICR: assert (clear: de-assert, for INIT).
pub const ICR_ASSERT: u32 = 1 << 14;
/// ICR: level triggered, for INIT.
pub const ICR_LEVEL: u32 = 1 << 15;
/// ICR: the destination shorthand's place.
pub const ICR_SHORTHAND_SHIFT: u32 = 18;
/// The writable bits of the ICR's low half.
pub const ICR_MASK: u32 = VECTOR | DELIVERY | ICR_LOGICAL | ICR_ASSERT | ICR_LEVEL | 3 << 18;

bitflags! {
    /// Error status register (section 11.5.3).
    #[derive(Copy, Clone, PartialEq, Eq, Debug)]
    pub struct Errors: u32 {
        /// A message of ours was accepted by nobody (P6 family and Pentium).
        const SEND_ACCEPT = 1 << 2;
        /// A message with a vector from 0 to 15 was to be sent.
        const SEND_ILLEGAL_VECTOR = 1 << 5;
        /// A message or an LVT entry had a vector from 0 to 15.
        const RECEIVE_ILLEGAL_VECTOR = 1 << 6;
        /// A register that does not exist was accessed.
        const ILLEGAL_REGISTER = 1 << 7;
    }
}

/// The first vector that can be delivered; those before are the exceptions' (section 11.5.2).
pub const FIRST_VECTOR: u8 = 16;

/// IA32_APIC_BASE (section 11.4.4): the bootstrap processor.
pub const BASE_BSP: u64 = 1 << 8;
/// IA32_APIC_BASE: x2APIC mode.
pub const BASE_X2APIC: u64 = 1 << 10;
/// IA32_APIC_BASE: enabled.
pub const BASE_ENABLE: u64 = 1 << 11;
/// IA32_APIC_BASE: the page of the registers, as far as 36 address lines reach.
pub const BASE_ADDRESS: u64 = 0xF_FFFF_F000;

/// The divisor that the divide configuration register selects (figure 11-10): bits 0, 1 and 3.
pub const fn divisor(configuration: u32) -> u64 {
    match configuration & 3 | (configuration >> 1) & 4 {
        7 => 1,
        n => 2 << n,
    }
}
/// The writable bits of the divide configuration register.
pub const DIVIDE_MASK: u32 = 0b1011;

/// The families of local APICs.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Family {
    /// P6 family: IDs of 4 bits on the APIC bus, counters for performance. Once disabled it stays so until reset.
    P6,
    /// Pentium 4 and later: messages on the system bus, IDs of 8 bits, a thermal sensor.
    Xapic,
    /// Nehalem and later: x2APIC mode, corrected machine-check interrupts.
    X2apic,
}

impl Family {
    /// The version register (section 11.4.8): version, highest LVT entry, whether EOIs can be kept to oneself.
    pub const fn version(self) -> u32 {
        match self {
            Self::P6 => 0x0004_0011,
            Self::Xapic => 0x0005_0014,
            Self::X2apic => 0x0106_0015,
        }
    }

    /// Whether there is such an LVT entry.
    pub const fn has(self, lvt: Lvt) -> bool {
        match lvt {
            Lvt::Thermal => !matches!(self, Self::P6),
            Lvt::Cmci => matches!(self, Self::X2apic),
            _ => true,
        }
    }

    /// Physical destinations below the broadcast address.
    pub const fn broadcast(self) -> u32 {
        match self {
            Self::P6 => 0x0F,
            Self::Xapic | Self::X2apic => 0xFF,
        }
    }

    /// The writable bits of an LVT entry, of the timer's without [`TIMER_TSC_DEADLINE`].
    pub const fn lvt_mask(self, lvt: Lvt) -> u32 {
        match lvt {
            Lvt::Timer => VECTOR | LVT_MASKED | TIMER_PERIODIC,
            Lvt::Error => VECTOR | LVT_MASKED,
            Lvt::Thermal | Lvt::Performance | Lvt::Cmci => VECTOR | DELIVERY | LVT_MASKED,
            Lvt::Lint0 | Lvt::Lint1 => VECTOR | DELIVERY | LVT_ACTIVE_LOW | LVT_LEVEL | LVT_MASKED,
        }
    }
}

/// The x2APIC register that an MSR access names, as a [`Reg`]; in that mode the ICR is one register of 64 bits, and
/// there is no destination format (section 11.12.1.2).
pub fn x2apic_register(register: LapicRegister) -> Option<Reg> {
    let LapicRegister::X2apic(number) = register else {
        return None;
    };
    match Reg::at(number)? {
        Reg::CommandHigh | Reg::DestinationFormat | Reg::ArbitrationPriority | Reg::RemoteRead => {
            None
        }
        r => Some(r),
    }
}
