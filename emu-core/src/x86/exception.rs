/// How an exception combines with one that is being delivered (SDM vol. 3, table 6-5, "Conditions for generating a
/// double fault").
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum ExceptionClass {
    /// Handled one after the other.
    Benign,
    /// With another contributory one: a double fault.
    Contributory,
    /// With a contributory one or another page fault: a double fault.
    PageFault,
    /// With either: shutdown.
    DoubleFault,
}

/// Exceptions by vector (SDM vol. 3, table 6-1).
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Exception {
    /// #DE, divide error.
    Divide = 0,
    /// #DB, debug.
    Debug = 1,
    /// NMI (an interrupt).
    Nmi = 2,
    /// #BP, breakpoint.
    Breakpoint = 3,
    /// #OF, overflow.
    Overflow = 4,
    /// #BR, bound range exceeded.
    Bound = 5,
    /// #UD, invalid opcode.
    InvalidOpcode = 6,
    /// #NM, device not available.
    DeviceNotAvailable = 7,
    /// #DF, double fault.
    DoubleFault = 8,
    /// Coprocessor segment overrun (80286 and 80386 only).
    CoprocessorOverrun = 9,
    /// #TS, invalid TSS.
    InvalidTss = 10,
    /// #NP, segment not present.
    NotPresent = 11,
    /// #SS, stack fault.
    Stack = 12,
    /// #GP, general protection.
    GeneralProtection = 13,
    /// #PF, page fault.
    Page = 14,
    /// #MF, x87 floating-point error.
    FloatingPoint = 16,
    /// #AC, alignment check.
    AlignmentCheck = 17,
    /// #MC, machine check.
    MachineCheck = 18,
    /// #XM, SIMD floating-point exception.
    SimdFloatingPoint = 19,
}

impl Exception {
    /// The vector.
    pub const fn vector(self) -> u8 {
        self as u8
    }

    /// Whether an error code is pushed in protected mode (SDM vol. 3, table 6-1).
    pub const fn has_error_code(self) -> bool {
        matches!(
            self,
            Self::DoubleFault
                | Self::InvalidTss
                | Self::NotPresent
                | Self::Stack
                | Self::GeneralProtection
                | Self::Page
                | Self::AlignmentCheck
        )
    }

    /// The class for double faults.
    pub const fn class(self) -> ExceptionClass {
        match self {
            Self::Divide
            | Self::InvalidTss
            | Self::NotPresent
            | Self::Stack
            | Self::GeneralProtection => ExceptionClass::Contributory,
            Self::Page => ExceptionClass::PageFault,
            Self::DoubleFault => ExceptionClass::DoubleFault,
            _ => ExceptionClass::Benign,
        }
    }
}
