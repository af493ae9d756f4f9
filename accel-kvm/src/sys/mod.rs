//! What is unsafe about KVM: memory that the guest writes, the page that the kernel shares with us, and a signal that ends
//! `KVM_RUN`.
#![expect(
    unsafe_code,
    reason = "ioctls with pointers, a shared page and a signal handler"
)]

use emu_core::ram::Ram;
use kvm_bindings::{
    KVM_MEM_LOG_DIRTY_PAGES, KVM_MEM_READONLY, kvm_run, kvm_userspace_memory_region, kvm_xsave,
};
use kvm_ioctls::{VcpuFd, VmFd};
use std::io;
use std::sync::Once;

/// Maps `bytes` of a block of memory at a guest-physical address; 0 bytes take the slot away.
///
/// The caller keeps a clone of `ram` for as long as the slot is there.
pub fn set_slot(
    vm: &VmFd,
    slot: u32,
    gpa: u64,
    ram: &Ram,
    offset: usize,
    bytes: usize,
    writable: bool,
) -> io::Result<()> {
    let last = offset + bytes.saturating_sub(1);
    let (Some(start), Some(_)) = (ram.host_ptr(offset), ram.host_ptr(last)) else {
        return Err(io::Error::from(io::ErrorKind::InvalidInput));
    };
    let region = kvm_userspace_memory_region {
        slot,
        flags: if writable {
            KVM_MEM_LOG_DIRTY_PAGES
        } else {
            KVM_MEM_READONLY
        },
        guest_phys_addr: gpa,
        memory_size: bytes as u64,
        userspace_addr: start.as_ptr() as u64,
    };
    // SAFETY: first and last byte lie in the block, whose bytes are one allocation that never moves; no Rust reference to
    // guest memory exists, so the guest may write it at any time; the block lives as long as the slot.
    unsafe { vm.set_user_memory_region(region) }
        .map_err(|e| io::Error::from_raw_os_error(e.errno()))
}

/// Sets floating-point and vector registers.
pub fn set_xsave(vcpu: &VcpuFd, xsave: &kvm_xsave) -> Result<(), kvm_ioctls::Error> {
    // SAFETY: the kernel reads more than the structure's 4096 bytes only for a process that has asked for larger
    // components (arch_prctl, ARCH_REQ_XCOMP_GUEST_PERM), which nothing here does.
    unsafe { vcpu.set_xsave(xsave) }
}

/// The size of one item of the port access that `KVM_RUN` came back with.
pub fn port_item_bytes(run: &kvm_run) -> usize {
    // SAFETY: every bit pattern of this member is a number; after KVM_EXIT_IO it is the one that is meant.
    usize::from(unsafe { run.__bindgen_anon_1.io.size })
}

/// The bytes of that access, to be filled for IN before `KVM_RUN` is called again.
pub fn port_data(vcpu: &mut VcpuFd, bytes: usize) -> &mut [u8] {
    let run: *mut kvm_run = vcpu.get_kvm_run();
    // SAFETY: after KVM_EXIT_IO the kernel says where in the mapping behind `run` the data lies (`data_offset`), and
    // `bytes` is what kvm-ioctls itself computed for this exit; the borrow of `vcpu` keeps KVM_RUN from being called
    // while the slice lives.
    unsafe {
        let offset = (*run).__bindgen_anon_1.io.data_offset as usize;
        std::slice::from_raw_parts_mut(run.cast::<u8>().add(offset), bytes)
    }
}

/// A timer that interrupts the thread which made it, again and again: `KVM_RUN` comes back with EINTR.
pub struct Alarm(libc::timer_t);

/// Does nothing; that it is called is what matters.
extern "C" fn wake(_: libc::c_int) {}

/// A signal that nobody else uses here.
fn signal() -> libc::c_int {
    libc::SIGRTMIN() + 3
}

impl Alarm {
    /// Interrupts the calling thread every so many nanoseconds (below a second) until it is dropped.
    pub fn every_ns(ns: i64) -> io::Result<Self> {
        static HANDLER: Once = Once::new();
        HANDLER.call_once(|| {
            // SAFETY: an all-zero sigaction is valid; the handler does nothing, so it is safe at any moment.
            unsafe {
                let mut action: libc::sigaction = std::mem::zeroed();
                action.sa_sigaction = wake as *const () as usize;
                libc::sigaction(signal(), &action, std::ptr::null_mut());
            }
        });
        // SAFETY: all-zero structures are valid; the pointers are to locals that outlive the calls; the timer goes to
        // this thread alone, and is deleted when the alarm is dropped.
        unsafe {
            let mut event: libc::sigevent = std::mem::zeroed();
            event.sigev_notify = libc::SIGEV_THREAD_ID;
            event.sigev_signo = signal();
            event.sigev_notify_thread_id = libc::gettid();
            let mut timer = std::mem::zeroed();
            if libc::timer_create(libc::CLOCK_MONOTONIC, &mut event, &mut timer) != 0 {
                return Err(io::Error::last_os_error());
            }
            let alarm = Self(timer);
            let period = libc::timespec {
                tv_sec: 0,
                tv_nsec: ns,
            };
            let times = libc::itimerspec {
                it_interval: period,
                it_value: period,
            };
            if libc::timer_settime(timer, 0, &times, std::ptr::null_mut()) != 0 {
                return Err(io::Error::last_os_error());
            }
            Ok(alarm)
        }
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        // SAFETY: the timer was made by `every_ns` and is deleted once.
        unsafe { libc::timer_delete(self.0) };
    }
}
