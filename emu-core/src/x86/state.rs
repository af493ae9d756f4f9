use super::{Cr0, Cr4, Efer, Restored, Rflags, SegmentRegister, SimdState, X87State};
use serde::{Deserialize, Serialize};

/// Number of interrupt vectors.
pub const VECTOR_COUNT: usize = 256;

/// Number of general registers; outside of 64-bit mode the first eight can be named.
pub const GPR_COUNT: usize = 16;

/// General registers by their encoding.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "register names")]
pub enum Gpr {
    Rax,
    Rcx,
    Rdx,
    Rbx,
    Rsp,
    Rbp,
    Rsi,
    Rdi,
    R8,
    R9,
    R10,
    R11,
    R12,
    R13,
    R14,
    R15,
}

/// Segment registers by their encoding.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "register names")]
pub enum Seg {
    Es,
    Cs,
    Ss,
    Ds,
    Fs,
    Gs,
}

impl Seg {
    /// All six, in the order of their encoding.
    pub const ALL: [Self; 6] = [Self::Es, Self::Cs, Self::Ss, Self::Ds, Self::Fs, Self::Gs];
}

/// GDTR or IDTR.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct DescriptorTable {
    /// Linear base address.
    pub base: u64,
    /// Offset of the last byte.
    pub limit: u16,
}

/// What a CPU is doing.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum Activity {
    /// Executing.
    #[default]
    Running,
    /// Stopped by HLT until an interrupt.
    Halted,
    /// Stopped by MWAIT until a store to the monitored line or an interrupt.
    Waiting {
        /// An interrupt ends it even if it is masked.
        for_masked: bool,
    },
    /// Stopped by a triple fault until a reset (or NMI).
    Shutdown,
}

/// Memory type range registers (SDM vol. 3, section 12.11).
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Mtrrs {
    /// IA32_MTRR_PHYSBASEn (200h, 202h, ..) and IA32_MTRR_PHYSMASKn (201h, 203h, ..), in the order of their numbers.
    pub variable: [u64; 16],
    /// IA32_MTRR_FIX64K_00000 (250h), FIX16K (258h, 259h), FIX4K (268h to 26Fh).
    pub fixed: [u64; 11],
    /// IA32_MTRR_DEF_TYPE (2FFh).
    pub default_type: u64,
}

/// One bank of machine-check registers (SDM vol. 3, section 16.3.2).
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct MachineCheckBank {
    /// IA32_MCi_CTL.
    pub control: u64,
    /// IA32_MCi_STATUS.
    pub status: u64,
    /// IA32_MCi_ADDR.
    pub address: u64,
}

/// Performance counters (SDM vol. 3, "Performance Monitoring").
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Performance {
    /// Up to eight counters that can be chosen what to count, and three that cannot.
    pub values: [u64; 11],
    /// What the eight count: PerfEvtSel; the first of them is the Pentium's CESR.
    pub select: [u64; 8],
    /// IA32_FIXED_CTR_CTRL (38Dh).
    pub fixed_control: u64,
    /// IA32_PERF_GLOBAL_STATUS (38Eh).
    pub global_status: u64,
    /// IA32_PERF_GLOBAL_CTRL (38Fh).
    pub global_control: u64,
}

/// IA32_DEBUGCTL and last-branch records (SDM vol. 3, chapter 18).
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct BranchRecords {
    /// IA32_DEBUGCTL (1D9h).
    pub control: u64,
    /// MSR_LBR_SELECT (1C8h).
    pub select: u64,
    /// MSR_LASTBRANCH_TOS (1C9h): the place of the last one.
    pub top: u64,
    /// Where branches came from.
    pub from: [u64; 32],
    /// Where they led.
    pub to: [u64; 32],
    /// MSR_LBR_INFO.
    pub info: [u64; 32],
    /// The last branch before the last exception or interrupt: where it came from.
    pub exception_from: u64,
    /// Where it led.
    pub exception_to: u64,
    /// The count of retired instructions at the last one.
    pub recorded_at: u64,
}

/// Registers that configure a processor (SDM vol. 4; AMD, "AMD64 Architecture Programmer's Manual", volume 2, 24593).
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Configuration {
    /// MSR_SMI_COUNT (34h): system management interrupts taken.
    pub smi_count: u32,
    /// MSR_PKG_CST_CONFIG_CONTROL (E2h).
    pub package_c_states: u64,
    /// MSR_MISC_FEATURES_ENABLES (140h).
    pub misc_features: u64,
    /// MSR_POWER_CTL (1FCh).
    pub power_control: u64,
    /// SYSCFG (C001_0010h).
    pub system: u64,
    /// HWCR (C001_0015h).
    pub hardware: u64,
    /// DE_CFG (C001_1029h).
    pub decode: u64,
}

/// Model-specific registers that hold plain state.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct MsrState {
    /// Time-stamp counter minus the count of retired instructions.
    pub tsc_offset: u64,
    /// IA32_TSC_ADJUST (3Bh).
    pub tsc_adjust: u64,
    /// IA32_SYSENTER_CS (174h).
    pub sysenter_cs: u64,
    /// IA32_SYSENTER_ESP (175h).
    pub sysenter_esp: u64,
    /// IA32_SYSENTER_EIP (176h).
    pub sysenter_eip: u64,
    /// MSR_EBL_CR_POWERON (2Ah).
    pub bus_configuration: u64,
    /// IA32_BIOS_SIGN_ID (8Bh).
    pub microcode_signature: u64,
    /// Memory type range registers.
    pub mtrr: Mtrrs,
    /// IA32_MCG_STATUS (17Ah).
    pub machine_check_status: u64,
    /// IA32_MCG_CTL (17Bh).
    pub machine_check_control: u64,
    /// The machine-check banks.
    pub machine_check: [MachineCheckBank; 5],
    /// IA32_MISC_ENABLE (1A0h).
    pub misc_enable: u64,
    /// IA32_PAT (277h).
    pub page_attribute_table: u64,
    /// IA32_STAR (C000_0081h).
    pub star: u64,
    /// IA32_LSTAR (C000_0082h).
    pub lstar: u64,
    /// IA32_CSTAR (C000_0083h).
    pub cstar: u64,
    /// IA32_FMASK (C000_0084h).
    pub fmask: u64,
    /// IA32_KERNEL_GS_BASE (C000_0102h).
    pub kernel_gs_base: u64,
    /// IA32_TSC_AUX (C000_0103h).
    pub tsc_aux: u64,
    /// Performance counters, up to date with the count of retired instructions.
    pub performance: Performance,
    /// Last-branch records.
    pub branches: BranchRecords,
    /// Registers that configure the processor.
    pub configuration: Configuration,
}

/// System management mode.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct SmmState {
    /// The CPU is in it.
    pub active: bool,
    /// SMBASE: where the handler and the state save map lie.
    pub base: u32,
    /// An SMI arrived and waits.
    pub smi_pending: bool,
    /// INIT arrived in system management mode and waits for its end.
    pub init_pending: bool,
    /// The instruction before this boundary, if it accessed a port.
    pub io: Option<IoInstruction>,
}

/// An instruction that accessed a port, or the last iteration of one, as an SMI behind it saves it.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct IoInstruction {
    /// Where it starts.
    pub rip: u64,
    /// RCX before it.
    pub rcx: u64,
    /// RSI before it.
    pub rsi: u64,
    /// RDI before it.
    pub rdi: u64,
    /// The linear address of its operand in memory; 0: it has none.
    pub memory: u64,
    /// The port.
    pub port: u16,
    /// Bytes that it moved: 1, 2 or 4.
    pub bytes: u8,
    /// Its kind.
    pub kind: IoKind,
}

bitflags::bitflags! {
    /// Kinds of I/O instructions, as the state save map encodes them (SDM vol. 3, table 32-6).
    #[derive(Copy, Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
    #[serde(transparent)]
    pub struct IoKind: u8 {
        /// IN and INS rather than OUT and OUTS.
        const INPUT = 1 << 0;
        /// INS and OUTS.
        const STRING = 1 << 1;
        /// With a repeat prefix.
        const REPEATED = 1 << 2;
        /// IN and OUT with the port in the instruction.
        const IMMEDIATE = 1 << 3;
    }
}

/// Everything about a CPU that a program can observe: what moves between back ends, debuggers and snapshots.
///
/// Registers that no model offers yet are not here; they come with the code that executes them, under a new snapshot
/// version.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct CpuState {
    /// General registers in the order of [`Gpr`].
    pub gpr: [u64; GPR_COUNT],
    /// Instruction pointer.
    pub rip: u64,
    /// Flags.
    pub rflags: Rflags,
    /// Segment registers in the order of [`Seg`].
    pub segments: [SegmentRegister; 6],
    /// LDTR.
    pub ldtr: SegmentRegister,
    /// TR.
    pub tr: SegmentRegister,
    /// GDTR.
    pub gdtr: DescriptorTable,
    /// IDTR.
    pub idtr: DescriptorTable,
    /// CR0.
    pub cr0: Cr0,
    /// CR2.
    pub cr2: u64,
    /// CR3.
    pub cr3: u64,
    /// CR4.
    pub cr4: Cr4,
    /// CR8, the task priority, as far as no local APIC holds it.
    pub cr8: u64,
    /// IA32_EFER.
    pub efer: Efer,
    /// Protection-key rights of user pages.
    pub pkru: u32,
    /// The four page-directory-pointer entries that PAE paging loads with CR3.
    pub pdpte: [u64; 4],
    /// DR0 to DR3.
    pub dr: [u64; 4],
    /// DR6.
    pub dr6: u64,
    /// DR7.
    pub dr7: u64,
    /// x87.
    pub x87: X87State,
    /// Vector registers.
    pub simd: SimdState,
    /// The last XRSTOR or XRSTORS, if any since reset.
    pub restored: Option<Restored>,
    /// Model-specific registers.
    pub msr: MsrState,
    /// What the CPU is doing.
    pub activity: Activity,
    /// Maskable interrupts are held off until the next instruction is done (STI).
    pub sti_shadow: bool,
    /// Interrupts and debug traps are held off until the next instruction is done (MOV SS, POP SS).
    pub mov_ss_shadow: bool,
    /// An NMI handler runs: further NMIs wait for IRET.
    pub nmi_blocked: bool,
    /// An NMI arrived and waits.
    pub nmi_pending: bool,
    /// System management mode.
    pub smm: SmmState,
    /// Debug conditions (DR6 bits) that fire when the current instruction is done.
    pub pending_debug: u64,
    /// A repeated string instruction was left between two of its iterations.
    pub repeating: bool,
    /// The generator behind RDRAND and RDSEED.
    pub random: u64,
    /// The physical address of the line that MONITOR armed, until a store to it or another event triggers the monitor.
    pub monitor: Option<u64>,
    /// The bytes of a prefetch queue that were fetched before they were changed (models that have one).
    pub prefetch: Prefetch,
    /// Instructions retired.
    pub retired: u64,
}

/// The prefetch queue of an 8086 to 80486.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Prefetch {
    /// How many of `bytes` are valid.
    pub len: u8,
    /// The bytes from the instruction pointer on.
    pub bytes: [u8; 32],
}

impl CpuState {
    /// Whether counting can go on from here. Registers may hold anything (a program can load most values, and a CPU
    /// must bear the others), but the counters must be far from the end of their range.
    pub fn is_valid(&self) -> bool {
        self.retired < 1 << 62
    }

    /// A segment register.
    pub const fn segment(&self, seg: Seg) -> &SegmentRegister {
        &self.segments[seg as usize]
    }

    /// The current privilege level (SDM vol. 3, section 5.5): the DPL of SS; 3 in virtual-8086 mode, 0 in real mode.
    pub fn cpl(&self) -> u8 {
        if !self.cr0.contains(Cr0::PE) {
            0
        } else if self.rflags.contains(Rflags::VM) {
            3
        } else {
            self.segment(Seg::Ss).attributes.dpl()
        }
    }
}
