//! Faults: what an instruction reports instead of completing.

use emu_core::x86::{Exception, Selector};

/// An exception with its error code.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// Which.
    pub exception: Exception,
    /// The error code, where the exception has one.
    pub code: u16,
}

impl Fault {
    /// An exception without an error code, or with 0.
    pub const fn of(exception: Exception) -> Self {
        Self { exception, code: 0 }
    }
    /// #GP(0).
    pub const GP0: Self = Self::of(Exception::GeneralProtection);
    /// #SS(0).
    pub const SS0: Self = Self::of(Exception::Stack);
    /// #UD.
    pub const UD: Self = Self::of(Exception::InvalidOpcode);
    /// #NM.
    pub const NM: Self = Self::of(Exception::DeviceNotAvailable);
    /// #DE.
    pub const DE: Self = Self::of(Exception::Divide);
    /// #MF.
    pub const MF: Self = Self::of(Exception::FloatingPoint);

    /// An exception whose error code names a selector.
    pub const fn selector(exception: Exception, selector: Selector) -> Self {
        Self {
            exception,
            code: selector.error_code(),
        }
    }
    /// #GP(selector).
    pub const fn gp(selector: Selector) -> Self {
        Self::selector(Exception::GeneralProtection, selector)
    }
    /// #NP(selector).
    pub const fn np(selector: Selector) -> Self {
        Self::selector(Exception::NotPresent, selector)
    }
    /// #SS(selector).
    pub const fn ss(selector: Selector) -> Self {
        Self::selector(Exception::Stack, selector)
    }
    /// #TS(selector).
    pub const fn ts(selector: Selector) -> Self {
        Self::selector(Exception::InvalidTss, selector)
    }
}
