//! The host's side: a child process that executes cases, one signal for each.
//!
//! The child is conducted by its signal handler. A signal's frame holds every register of user mode, code and stack
//! selectors and the XSAVE image included, so the handler notes the outcome of one case from the frame, lays the next
//! case into it, and returns into that case: with TF set the processor traps behind the instruction, otherwise an INT3
//! ends it, or the instruction faults. Batches of cases and outcomes lie in memory that both processes share.
//!
//! Invariants that the `unsafe` blocks rest on:
//! * [`Shared`] is mapped in both processes for as long as a [`Child`] lives; a slot is written by one side at a time:
//!   the byte in the pipe hands it over.
//! * In the child there is one thread. Between the INT3 that starts a batch and the return behind it, only the handler
//!   and the cases run. The handler uses nothing but its own [`Conductor`] and the shared memory: FS may hold anything, so
//!   it touches no thread-local storage and calls nothing that does.
//! * Cases see the window and nothing else below the child's own mappings. What a case writes to a wild address may
//!   hit the child itself; then the child dies or its outcome is wrong, and the parent reports that case.
#![expect(
    unsafe_code,
    reason = "the point of this file: executing instructions of the host"
)]

use super::case::{CHANGES, Case, CodeSize, FX_BYTES, LOST, MXCSR, Memory, Outcome};
use super::layout::{self, Access, LOCALS, MEMORY_BYTES, PAGE};
use anyhow::{Context, Result, bail};
use std::arch::{asm, naked_asm};
use std::ptr::{self, null_mut};
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

/// Cases in a batch.
pub const BATCH: usize = 256;
/// Batches on their way.
pub const SLOTS: usize = 2;
/// How long a batch may take: some thousand times of what it needs.
const PATIENCE_MS: i32 = 4_000;
/// Room for a signal frame with every extended state that processors have now.
const FRAME_BYTES: usize = 256 << 10;
/// Room for one XSAVE image.
const XSAVE_BYTES: usize = 16 << 10;
/// Where AVX state lies in the standard format (CPUID leaf 0Dh, subleaf 2).
const YMM_HIGH: usize = 576;
/// The indices of RAX to R15 in a signal frame.
const FRAME_GPR: [usize; 16] = [13, 14, 12, 11, 15, 10, 9, 8, 0, 1, 2, 3, 4, 5, 6, 7];

/// A batch.
#[repr(C)]
struct Slot {
    count: usize,
    cases: [Case; BATCH],
    outcomes: [Outcome; BATCH],
}

/// What both processes see.
#[repr(C)]
struct Shared {
    /// The case that runs, within its batch.
    progress: AtomicUsize,
    slots: [Slot; SLOTS],
}

/// What the handler works with.
struct Conductor {
    slot: *mut Slot,
    shared: *const Shared,
    /// The frames, writable.
    live: *mut u8,
    memory: Memory,
    /// The case to start next; `None` before the batch.
    next: Option<usize>,
    /// The registers and the XSAVE image to go back to behind the batch.
    home: [i64; 23],
    home_fpu: Vec<u8>,
    home_fs_base: u64,
    avx: bool,
    inside: bool,
}

/// A signal handler gets no argument of ours: this is where it finds its conductor.
static CONDUCTOR: AtomicPtr<Conductor> = AtomicPtr::new(null_mut());

/// Where signals arrive. A case may have left flags that the compiler's code does not expect: AC, NT, ID.
#[unsafe(naked)]
extern "C" fn entry(_: i32, _: *mut libc::siginfo_t, _: *mut libc::c_void) {
    naked_asm!(
        "pushfq",
        "and qword ptr [rsp], -0x244001",
        "popfq",
        "jmp {handler}",
        handler = sym on_signal,
    )
}

extern "C" fn on_signal(_: i32, _: *mut libc::siginfo_t, context: *mut libc::c_void) {
    let conductor = CONDUCTOR.load(Ordering::Relaxed);
    // SAFETY: the child sets CONDUCTOR before it installs this handler; nobody else uses the conductor while it runs
    // (the batch loop waits behind its INT3). The kernel passes a ucontext.
    unsafe {
        let (conductor, context) = (&mut *conductor, &mut *context.cast::<libc::ucontext_t>());
        if conductor.inside {
            libc::_exit(3);
        }
        conductor.inside = true;
        conductor.signal(&mut context.uc_mcontext);
        conductor.inside = false;
    }
}

impl Conductor {
    /// # Safety
    /// Only in the handler, with its frame.
    unsafe fn signal(&mut self, frame: &mut libc::mcontext_t) {
        let fpu = frame.fpregs.cast::<u8>();
        // SAFETY: see the module's invariants; the frame's XSAVE image is as long as its header says (bytes 468 to 471),
        // which is clipped to the room there is.
        unsafe {
            let image_bytes = (*fpu.add(468).cast::<u32>() as usize).min(XSAVE_BYTES);
            let number = match self.next {
                None => {
                    self.home = frame.gregs;
                    ptr::copy_nonoverlapping(fpu, self.home_fpu.as_mut_ptr(), image_bytes);
                    self.home_fs_base = read_fs_base();
                    0
                }
                Some(number) => {
                    self.note(number, frame, fpu);
                    number + 1
                }
            };
            if number < (*self.slot).count {
                (*self.shared).progress.store(number, Ordering::Relaxed);
                self.next = Some(number);
                self.start(number, frame, fpu);
            } else {
                self.next = None;
                frame.gregs = self.home;
                ptr::copy_nonoverlapping(self.home_fpu.as_ptr(), fpu, image_bytes);
                set_data_selectors([0; 4]);
                write_bases(self.home_fs_base, 0);
            }
        }
    }

    /// Notes how a case ended.
    ///
    /// # Safety
    /// As [`Self::signal`].
    unsafe fn note(&mut self, number: usize, frame: &libc::mcontext_t, fpu: *const u8) {
        // SAFETY: the slot is the child's until it hands it back; `number` is below its count. The XSAVE image holds at
        // least the legacy area and header, and with AVX its part.
        unsafe {
            let case = &(*self.slot).cases[number];
            let outcome = &mut (*self.slot).outcomes[number];
            let g = &frame.gregs;
            outcome.vector = g[20] as u8;
            outcome.error = g[19] as u32;
            outcome.cr2 = g[22] as u64;
            for (to, from) in outcome.gpr.iter_mut().zip(FRAME_GPR) {
                *to = g[from] as u64;
            }
            outcome.rip = g[16] as u64;
            outcome.flags = g[17] as u64;
            let [ds, es, fs, gs] = data_selectors();
            outcome.selectors = [es, g[18] as u16, (g[18] >> 48) as u16, ds, fs, gs];
            outcome.bases = [read_fs_base(), read_gs_base()];
            ptr::copy_nonoverlapping(fpu, outcome.fx.as_mut_ptr(), FX_BYTES);
            let has_ymm = *fpu.add(512).cast::<u64>() & 4 != 0;
            outcome.ymm_high = [[0; 2]; 16];
            if self.avx && has_ymm {
                ptr::copy_nonoverlapping(
                    fpu.add(YMM_HIGH).cast(),
                    outcome.ymm_high.as_mut_ptr(),
                    16,
                );
            }
            outcome.change_count = 0;
            outcome.overflowed = false;
            for (page, (_, access)) in layout::PAGES.iter().enumerate() {
                if *access == Access::Write {
                    let after = std::slice::from_raw_parts(self.live.add(page * PAGE), PAGE);
                    outcome.note_changes(page, &self.memory.before[page * PAGE..][..PAGE], after);
                }
            }
            let live = self.live;
            self.memory.clean(case, outcome, |at, bytes| {
                ptr::copy_nonoverlapping(bytes.as_ptr(), live.add(at), bytes.len());
            });
        }
    }

    /// Lays a case into the frame.
    ///
    /// # Safety
    /// As [`Self::signal`].
    unsafe fn start(&mut self, number: usize, frame: &mut libc::mcontext_t, fpu: *mut u8) {
        // SAFETY: as in `note`. MXCSR gets no reserved bit and the header only components that the image has, so the
        // kernel's XRSTOR takes it; selectors that do not load end the child, and the generator makes none.
        unsafe {
            let case = &(*self.slot).cases[number];
            let live = self.live;
            self.memory.prepare(case, |at, byte| *live.add(at) = byte);
            let g = &mut frame.gregs;
            for (&from, to) in case.gpr.iter().zip(FRAME_GPR) {
                g[to] = from as i64;
            }
            let [es, cs, ss, ds, fs, gs] = case.selectors;
            g[16] = case.rip() as i64;
            g[17] = case.flags as i64;
            g[18] = i64::from(cs) | i64::from(ss) << 48;
            let mask = *fpu.add(MXCSR + 4).cast::<u32>();
            ptr::copy_nonoverlapping(case.fx.as_ptr(), fpu, FX_BYTES);
            *fpu.add(MXCSR + 4).cast::<u32>() = mask;
            *fpu.add(MXCSR).cast::<u32>() &= 0xFFFF;
            *fpu.add(512).cast::<u64>() |= if self.avx { 7 } else { 3 };
            if self.avx {
                ptr::copy_nonoverlapping(case.ymm_high.as_ptr(), fpu.add(YMM_HIGH).cast(), 16);
            }
            set_data_selectors([ds, es, fs, gs]);
            if case.size == CodeSize::Bits64 {
                write_bases(case.bases[0], case.bases[1]);
            }
        }
    }
}

/// DS, ES, FS, GS.
fn data_selectors() -> [u16; 4] {
    let (ds, es, fs, gs): (u32, u32, u32, u32);
    // SAFETY: reads selectors.
    unsafe {
        asm!(
            "mov {0:e}, ds", "mov {1:e}, es", "mov {2:e}, fs", "mov {3:e}, gs",
            out(reg) ds, out(reg) es, out(reg) fs, out(reg) gs,
            options(nomem, nostack, preserves_flags),
        );
    }
    [ds as u16, es as u16, fs as u16, gs as u16]
}

/// # Safety
/// The selectors name segments that load; FS is nobody's until it is put back.
unsafe fn set_data_selectors([ds, es, fs, gs]: [u16; 4]) {
    // SAFETY: 64-bit code does not use DS and ES; the caller answers for FS.
    unsafe {
        asm!(
            "mov ds, {0:e}", "mov es, {1:e}", "mov fs, {2:e}", "mov gs, {3:e}",
            in(reg) u32::from(ds), in(reg) u32::from(es), in(reg) u32::from(fs), in(reg) u32::from(gs),
            options(nomem, nostack, preserves_flags),
        );
    }
}

fn read_fs_base() -> u64 {
    let base;
    // SAFETY: `Child::spawn` has seen that user mode may read the base.
    unsafe { asm!("rdfsbase {}", out(reg) base, options(nomem, nostack, preserves_flags)) };
    base
}

fn read_gs_base() -> u64 {
    let base;
    // SAFETY: as above.
    unsafe { asm!("rdgsbase {}", out(reg) base, options(nomem, nostack, preserves_flags)) };
    base
}

/// # Safety
/// FS is nobody's until it is put back; the addresses are canonical.
unsafe fn write_bases(fs: u64, gs: u64) {
    // SAFETY: the caller's promise.
    unsafe {
        asm!("wrfsbase {}", "wrgsbase {}", in(reg) fs, in(reg) gs, options(nomem, nostack, preserves_flags));
    }
}

/// Whether Linux lets user mode read and write the bases of FS and GS (AT_HWCAP2, bit 1).
fn has_fsgsbase() -> bool {
    // SAFETY: asks for a number.
    unsafe { libc::getauxval(libc::AT_HWCAP2) & 2 != 0 }
}

/// The process that executes cases.
pub struct Child {
    pid: libc::pid_t,
    shared: *mut Shared,
    live: *mut u8,
    to_child: i32,
    from_child: i32,
    /// Slots that the child has, oldest first.
    waiting: Vec<usize>,
}

// SAFETY: the mappings and descriptors are the process's, and `Child` is their only owner.
unsafe impl Send for Child {}

/// The case that the child did not survive.
#[derive(Debug)]
pub struct Died {
    /// Its number in the batch.
    pub number: usize,
    /// What became of it.
    pub how: String,
}

fn map(bytes: usize, flags: i32, descriptor: i32) -> Result<*mut libc::c_void> {
    // SAFETY: a fresh mapping at an address of the kernel's choice.
    let at = unsafe {
        libc::mmap(
            null_mut(),
            bytes,
            libc::PROT_READ | libc::PROT_WRITE,
            flags,
            descriptor,
            0,
        )
    };
    if at == libc::MAP_FAILED {
        return Err(std::io::Error::last_os_error()).context("cannot map memory");
    }
    Ok(at)
}

impl Child {
    /// Starts the process.
    pub fn spawn() -> Result<Self> {
        if !has_fsgsbase() {
            bail!(
                "the host's processor or kernel does not let user mode read the bases of FS and GS"
            );
        }
        let shared = map(
            size_of::<Shared>(),
            libc::MAP_SHARED | libc::MAP_ANONYMOUS,
            -1,
        )?;
        // SAFETY: the name is a C string.
        let frames = unsafe { libc::memfd_create(c"boxwood-native".as_ptr(), libc::MFD_CLOEXEC) };
        // SAFETY: the descriptor is ours.
        if frames < 0 || unsafe { libc::ftruncate(frames, MEMORY_BYTES as i64) } != 0 {
            return Err(std::io::Error::last_os_error()).context("cannot make memory to share");
        }
        let live = map(MEMORY_BYTES, libc::MAP_SHARED, frames)?.cast::<u8>();
        let (mut down, mut up) = ([0; 2], [0; 2]);
        // SAFETY: two integers each.
        let piped = unsafe {
            libc::pipe2(down.as_mut_ptr(), libc::O_CLOEXEC) == 0
                && libc::pipe2(up.as_mut_ptr(), libc::O_CLOEXEC) == 0
        };
        if !piped {
            return Err(std::io::Error::last_os_error()).context("cannot make pipes");
        }
        let memory = Memory::new();
        let shared = shared.cast::<Shared>();
        // SAFETY: `live` is as long as the background.
        unsafe { ptr::copy_nonoverlapping(memory.before.as_ptr(), live, MEMORY_BYTES) };
        let conductor = Box::into_raw(Box::new(Conductor {
            slot: null_mut(),
            shared,
            live,
            memory,
            next: None,
            home: [0; 23],
            home_fpu: vec![0; XSAVE_BYTES],
            home_fs_base: 0,
            avx: std::is_x86_feature_detected!("avx"),
            inside: false,
        }));
        // SAFETY: the child calls only what is safe behind a fork of a process with threads, and never returns.
        let pid = unsafe { libc::fork() };
        if pid == 0 {
            // SAFETY: this is the child; the conductor is its own copy, the descriptors are open.
            unsafe {
                libc::close(down[1]);
                libc::close(up[0]);
                libc::_exit(live_as_child(conductor, frames, down[0], up[1]));
            }
        }
        // SAFETY: our own descriptors, and the box that was leaked for the child.
        unsafe {
            drop(Box::from_raw(conductor));
            libc::close(frames);
            libc::close(down[0]);
            libc::close(up[1]);
        }
        let child = Self {
            pid,
            shared,
            live,
            to_child: down[1],
            from_child: up[0],
            waiting: Vec::new(),
        };
        if pid < 0 {
            return Err(std::io::Error::last_os_error()).context("cannot fork");
        }
        // The child says that it is ready.
        match child.wait_byte() {
            Ok(READY) => Ok(child),
            Ok(code) => bail!(
                "the host lets no child execute cases (step {code} of its preparation failed)"
            ),
            Err(how) => bail!("the child did not start: {how}"),
        }
    }

    /// Whether a batch can be handed over.
    pub fn has_room(&self) -> bool {
        self.waiting.len() < SLOTS
    }

    /// Hands a batch over.
    pub fn send(&mut self, cases: &[Case]) {
        assert!(self.has_room() && cases.len() <= BATCH, "a batch that fits");
        let number = (0..SLOTS)
            .find(|n| !self.waiting.contains(n))
            .unwrap_or_default();
        // SAFETY: a slot that is not waiting is ours.
        unsafe {
            let slot = &mut (*self.shared).slots[number];
            slot.count = cases.len();
            slot.cases[..cases.len()].copy_from_slice(cases);
            for outcome in &mut slot.outcomes[..cases.len()] {
                outcome.vector = LOST;
            }
            // A child that died is noticed when it is asked for the outcomes.
            libc::write(self.to_child, [number as u8].as_ptr().cast(), 1);
        }
        self.waiting.push(number);
    }

    /// Gives the oldest batch's cases and outcomes to `each`.
    pub fn receive(&mut self, mut each: impl FnMut(usize, &Case, &Outcome)) -> Result<(), Died> {
        let number = self.waiting.remove(0);
        let died = |how| {
            // SAFETY: an atomic in mapped memory.
            let number = unsafe { (*self.shared).progress.load(Ordering::Relaxed) };
            Died { number, how }
        };
        match self.wait_byte() {
            Ok(n) if usize::from(n) == number => {}
            Ok(n) => return Err(died(format!("the child answers {n}"))),
            Err(how) => return Err(died(how)),
        }
        // SAFETY: the child has handed the slot back.
        let slot = unsafe { &(*self.shared).slots[number] };
        for (n, (case, outcome)) in slot
            .cases
            .iter()
            .zip(&slot.outcomes)
            .take(slot.count)
            .enumerate()
        {
            debug_assert!(usize::from(outcome.change_count) <= CHANGES);
            each(n, case, outcome);
        }
        Ok(())
    }

    fn wait_byte(&self) -> Result<u8, String> {
        let mut poll = libc::pollfd {
            fd: self.from_child,
            events: libc::POLLIN,
            revents: 0,
        };
        let mut byte = 0u8;
        // SAFETY: one descriptor, one byte.
        let read = unsafe {
            match libc::poll(&raw mut poll, 1, PATIENCE_MS) {
                0 => return Err("it does not end".into()),
                _ => libc::read(self.from_child, (&raw mut byte).cast(), 1),
            }
        };
        if read == 1 {
            Ok(byte)
        } else {
            Err("the child died".into())
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // SAFETY: our own child, descriptors and mappings.
        unsafe {
            if self.pid > 0 {
                libc::kill(self.pid, libc::SIGKILL);
                libc::waitpid(self.pid, null_mut(), 0);
            }
            libc::close(self.to_child);
            libc::close(self.from_child);
            libc::munmap(self.shared.cast(), size_of::<Shared>());
            libc::munmap(self.live.cast(), MEMORY_BYTES);
        }
    }
}

/// What the child says when it is ready; below are the steps of its preparation.
const READY: u8 = 100;

/// The child: prepares itself, then conducts batches until the parent is gone.
///
/// # Safety
/// Only in the child.
unsafe fn live_as_child(conductor: *mut Conductor, frames: i32, from: i32, to: i32) -> i32 {
    // SAFETY: see the module's invariants.
    unsafe {
        CONDUCTOR.store(conductor, Ordering::Relaxed);
        let ready = match prepare(frames) {
            Ok(()) => READY,
            Err(step) => step,
        };
        libc::write(to, [ready].as_ptr().cast(), 1);
        if ready != READY {
            return 1;
        }
        loop {
            let mut number = 0u8;
            if libc::read(from, (&raw mut number).cast(), 1) != 1 {
                return 0;
            }
            let shared = (*conductor).shared;
            (*conductor).slot = (&raw const (*shared).slots[usize::from(number)]).cast_mut();
            // The handler runs the batch and comes back with every register as it was.
            asm!("int3");
            libc::write(to, [number].as_ptr().cast(), 1);
        }
    }
}

/// # Safety
/// Only in the child.
unsafe fn prepare(frames: i32) -> Result<(), u8> {
    let check = |step, result: i64| if result < 0 { Err(step) } else { Ok(()) };
    // SAFETY: the child's own address space; the window's addresses are not in use, or the maps are refused.
    unsafe {
        check(1, libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL).into())?;
        let no_core = libc::rlimit {
            rlim_cur: 0,
            rlim_max: 0,
        };
        check(
            2,
            libc::setrlimit(libc::RLIMIT_CORE, &raw const no_core).into(),
        )?;
        for view in [layout::LOW, layout::HIGH] {
            for (n, &(offset, access)) in layout::PAGES.iter().enumerate() {
                let protection = match access {
                    Access::Execute => libc::PROT_READ | libc::PROT_EXEC,
                    Access::Write => libc::PROT_READ | libc::PROT_WRITE,
                    Access::Read => libc::PROT_READ,
                };
                let at = view + u64::from(offset);
                // Populated: no page may fault for not having been met yet.
                let flags = libc::MAP_SHARED | libc::MAP_FIXED_NOREPLACE | libc::MAP_POPULATE;
                let got = libc::mmap(
                    at as *mut _,
                    PAGE,
                    protection,
                    flags,
                    frames,
                    (n * PAGE) as i64,
                );
                check(3, if got as u64 == at { 0 } else { -1 })?;
            }
        }
        for (n, local) in LOCALS.iter().enumerate() {
            // struct user_desc: entry_number, base_addr, limit, and bits: seg_32bit, contents (2), read_exec_only,
            // limit_in_pages, seg_not_present, useable.
            let bits = u32::from(local.big)
                | u32::from(local.contents) << 1
                | u32::from(local.restricted) << 3
                | u32::from(local.pages) << 4
                | u32::from(!local.present) << 5;
            let entry = [n as u32, local.base, local.limit, bits];
            check(
                4,
                libc::syscall(
                    libc::SYS_modify_ldt,
                    0x11,
                    entry.as_ptr(),
                    size_of_val(&entry),
                ),
            )?;
        }
        let room = libc::mmap(
            null_mut(),
            FRAME_BYTES,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
            -1,
            0,
        );
        check(5, if room == libc::MAP_FAILED { -1 } else { 0 })?;
        let stack = libc::stack_t {
            ss_sp: room,
            ss_flags: 0,
            ss_size: FRAME_BYTES,
        };
        check(6, libc::sigaltstack(&raw const stack, null_mut()).into())?;
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction =
            entry as extern "C" fn(i32, *mut libc::siginfo_t, *mut libc::c_void) as usize;
        action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_NODEFER;
        for signal in [
            libc::SIGSEGV,
            libc::SIGTRAP,
            libc::SIGILL,
            libc::SIGFPE,
            libc::SIGBUS,
        ] {
            check(
                7,
                libc::sigaction(signal, &raw const action, null_mut()).into(),
            )?;
        }
        Ok(())
    }
}
