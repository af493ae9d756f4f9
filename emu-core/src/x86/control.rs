use bitflags::bitflags;
use serde::{Deserialize, Serialize};

bitflags! {
    /// Control register 0 (SDM vol. 3, section 2.5).
    #[derive(Copy, Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
    pub struct Cr0: u64 {
        /// Protection enable.
        const PE = 1 << 0;
        /// Monitor coprocessor: WAIT heeds TS.
        const MP = 1 << 1;
        /// Emulation: no x87.
        const EM = 1 << 2;
        /// Task switched.
        const TS = 1 << 3;
        /// Extension type: always 1 from the 486 on.
        const ET = 1 << 4;
        /// Numeric error: #MF instead of FERR#.
        const NE = 1 << 5;
        /// Write protect: supervisor writes heed read-only pages.
        const WP = 1 << 16;
        /// Alignment mask.
        const AM = 1 << 18;
        /// Not write-through.
        const NW = 1 << 29;
        /// Cache disable.
        const CD = 1 << 30;
        /// Paging.
        const PG = 1 << 31;
    }

    /// Control register 4 (SDM vol. 3, section 2.5).
    #[derive(Copy, Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
    pub struct Cr4: u64 {
        /// Virtual-8086 mode extensions.
        const VME = 1 << 0;
        /// Protected-mode virtual interrupts.
        const PVI = 1 << 1;
        /// RDTSC only at CPL 0.
        const TSD = 1 << 2;
        /// Debugging extensions: DR4 and DR5 are reserved, I/O breakpoints work.
        const DE = 1 << 3;
        /// 4 MiB pages.
        const PSE = 1 << 4;
        /// Physical address extension.
        const PAE = 1 << 5;
        /// Machine-check exception.
        const MCE = 1 << 6;
        /// Global pages.
        const PGE = 1 << 7;
        /// RDPMC at any CPL.
        const PCE = 1 << 8;
        /// FXSAVE and FXRSTOR, SSE allowed.
        const OSFXSR = 1 << 9;
        /// #XM for unmasked SIMD exceptions.
        const OSXMMEXCPT = 1 << 10;
        /// User-mode instruction prevention.
        const UMIP = 1 << 11;
        /// 5-level paging.
        const LA57 = 1 << 12;
        /// Virtual-machine extensions.
        const VMXE = 1 << 13;
        /// Safer mode extensions.
        const SMXE = 1 << 14;
        /// RDFSBASE and its kin.
        const FSGSBASE = 1 << 16;
        /// Process-context identifiers.
        const PCIDE = 1 << 17;
        /// XSAVE and extended states.
        const OSXSAVE = 1 << 18;
        /// Supervisor-mode execution prevention.
        const SMEP = 1 << 20;
        /// Supervisor-mode access prevention.
        const SMAP = 1 << 21;
        /// Protection keys for user pages.
        const PKE = 1 << 22;
    }

    /// IA32_EFER, the extended feature enable register (SDM vol. 3, section 2.2.1).
    #[derive(Copy, Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
    pub struct Efer: u64 {
        /// SYSCALL and SYSRET.
        const SCE = 1 << 0;
        /// Long mode is entered when paging is switched on.
        const LME = 1 << 8;
        /// Long mode is active: set and cleared by the processor.
        const LMA = 1 << 10;
        /// Pages can forbid execution.
        const NXE = 1 << 11;
    }

    /// Debug status register (SDM vol. 3, section 18.2.3).
    #[derive(Copy, Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
    pub struct Dr6: u64 {
        /// Breakpoint 0's condition was met.
        const B0 = 1 << 0;
        /// Breakpoint 1's.
        const B1 = 1 << 1;
        /// Breakpoint 2's.
        const B2 = 1 << 2;
        /// Breakpoint 3's.
        const B3 = 1 << 3;
        /// A debug register was about to be accessed while DR7.GD was set.
        const BD = 1 << 13;
        /// Single step.
        const BS = 1 << 14;
        /// The T bit of the new task's TSS.
        const BT = 1 << 15;
    }
}
