//! The few calls of the operating system that need `unsafe` and have no safe face in `nix` or std.
//!
//! Each has one here: safe to call at any time, errors as values. No policy: what to log or to refuse is
//! decided above.

pub mod crew;
pub mod fault;

use std::io::{self, Read};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr::NonNull;

/// Seconds that local time is ahead of UTC at the moment `unix_s`. 0 when the C library cannot say.
///
/// Takes the C library's time-zone lock: never in a forked child (it is handed the number).
pub fn local_utc_offset_s(unix_s: i64) -> i64 {
    // SAFETY: all-zero bytes are a valid `tm`: integers and a null pointer.
    let mut parts: libc::tm = unsafe { std::mem::zeroed() };
    // SAFETY: both pointers are to live values of the right type, for the duration of the call.
    let done = unsafe { libc::localtime_r(&unix_s, &mut parts) };
    if done.is_null() { 0 } else { parts.tm_gmtoff }
}

/// Descriptor 1, without the lock around what std buffers for it.
pub fn standard_output() -> BorrowedFd<'static> {
    // SAFETY: nothing in this program closes it; std sees to it at start that it is open.
    unsafe { BorrowedFd::borrow_raw(libc::STDOUT_FILENO) }
}

/// Whether the environment's text may be used for a longer title.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Environment {
    /// Leave it where it is: the title can be as long as the command line was.
    Keep,
    /// Copy it to the heap first. Done only while the process has a single thread.
    Move,
}

/// The memory in which the kernel shows the command line of this process (`/proc/self/cmdline`).
pub struct TitleMemory {
    start: NonNull<u8>,
    bytes: usize,
}

impl TitleMemory {
    /// Finds the memory. `std::env::args()` reads the same bytes: read it before the first `write`.
    pub fn find(environment: Environment) -> io::Result<TitleMemory> {
        let [arg_start, arg_end, env_start, env_end] = stack_layout()?;
        let with_environment = environment == Environment::Move
            && env_start == arg_end
            && env_end > env_start
            && move_environment();
        let end = if with_environment { env_end } else { arg_end };
        let missing = || io::Error::new(io::ErrorKind::NotFound, "no command line in memory");
        let start = NonNull::new(arg_start as *mut u8).ok_or_else(missing)?;
        match end.checked_sub(arg_start) {
            Some(bytes) if bytes > 1 => Ok(TitleMemory { start, bytes }),
            _ => Err(missing()),
        }
    }

    /// Replaces the title; what does not fit is cut off. No allocation, no lock.
    pub fn write(&mut self, title: &[u8]) {
        // The last byte stays NUL: it ends the C string that std and others may still hold a pointer to.
        let kept = &title[..title.len().min(self.bytes - 1)];
        // SAFETY: `start..start + bytes` is the process's own writable argument area on its stack, mapped for
        // the life of the process; Rust code has no references into it (std copies arguments out when asked),
        // `kept` is no part of it.
        unsafe {
            self.start.as_ptr().write_bytes(0, self.bytes);
            self.start.as_ptr().copy_from_nonoverlapping(kept.as_ptr(), kept.len());
        }
    }
}

/// Fields 48 to 51 of /proc/self/stat: arg_start, arg_end, env_start, env_end (proc(5)).
fn stack_layout() -> io::Result<[usize; 4]> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    // The second field is the command in parentheses and may itself contain spaces and parentheses.
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let mut numbers = after_name.split_ascii_whitespace().skip(45).map_while(|field| field.parse().ok());
    let mut next = || numbers.next().ok_or_else(|| io::Error::other("/proc/self/stat is too short"));
    Ok([next()?, next()?, next()?, next()?])
}

/// Makes the C library copy each variable to the heap. Returns false, having done nothing, when other threads
/// exist.
fn move_environment() -> bool {
    let threads = std::fs::read_dir("/proc/self/task").map_or(0, |tasks| tasks.count());
    if threads != 1 {
        return false;
    }
    let variables: Vec<_> = std::env::vars_os().collect();
    for (name, value) in variables {
        // SAFETY: this is the only thread, so nobody reads the environment meanwhile.
        unsafe { std::env::set_var(name, value) };
    }
    true
}

/// Asks the kernel to put huge pages under `start..start + bytes` now (MADV_COLLAPSE, Linux 6.1). The
/// contents do not change. Fails with EINVAL on older kernels, EAGAIN or ENOMEM when no huge page is free.
pub fn collapse_to_huge_pages(start: usize, bytes: usize) -> io::Result<()> {
    const MADV_COLLAPSE: libc::c_int = 25;
    // SAFETY: this advice changes which physical pages back the range, never what is mapped or what it
    // contains; an address that is not ours is an error of the kernel's, not undefined behaviour.
    let result = unsafe { libc::madvise(start as *mut libc::c_void, bytes, MADV_COLLAPSE) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// A step of writing a part of a file out to the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RangeSync {
    /// Begin, without waiting.
    Start,
    /// Begin what was not begun, and wait until the part is on the disk.
    Finish,
}

/// Writes a part of a file's data out, not its metadata: no replacement for fsync.
///
/// # Errors
/// EIO, ENOSPC when writing fails; EINVAL, ESPIPE where the file system cannot.
pub fn sync_file_range(file: BorrowedFd<'_>, start: u64, bytes: u64, step: RangeSync) -> nix::Result<()> {
    let flags = match step {
        RangeSync::Start => libc::SYNC_FILE_RANGE_WRITE,
        RangeSync::Finish => {
            libc::SYNC_FILE_RANGE_WAIT_BEFORE | libc::SYNC_FILE_RANGE_WRITE | libc::SYNC_FILE_RANGE_WAIT_AFTER
        }
    };
    // SAFETY: the descriptor is open for the duration of the call, which reads and writes no memory of ours.
    let result = unsafe { libc::sync_file_range(file.as_raw_fd(), start as i64, bytes as i64, flags) };
    nix::errno::Errno::result(result).map(drop)
}

/// How many small pages of `start..start + bytes` are in memory, at most `RESIDENCY_PAGES_MAX` of them asked
/// for.
///
/// # Errors
/// ENOMEM when something in the range is not mapped.
pub fn resident_pages(start: usize, bytes: usize) -> nix::Result<usize> {
    let mut residency = [0u8; RESIDENCY_PAGES_MAX];
    let bytes = bytes.min(RESIDENCY_PAGES_MAX * SMALL_PAGE_BYTES_MIN);
    // SAFETY: the kernel writes one byte for each page of at least 4 KiB, of which there are no more than the
    // array has; the range itself is only asked about.
    let result = unsafe { libc::mincore(start as *mut libc::c_void, bytes, residency.as_mut_ptr()) };
    nix::errno::Errno::result(result)?;
    Ok(residency.iter().filter(|page| **page & 1 == 1).count())
}

/// The small pages of a huge page.
pub const RESIDENCY_PAGES_MAX: usize = 512;
const SMALL_PAGE_BYTES_MIN: usize = 4096;

/// The processor's time stamp: ticks at a steady rate if `has_steady_ticks`, and a third of the cost of a clock.
#[inline(always)]
pub fn ticks() -> u64 {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: every x86-64 processor has the instruction, and Linux lets programs use it.
    unsafe {
        core::arch::x86_64::_rdtsc()
    }
    #[cfg(not(target_arch = "x86_64"))]
    0
}

/// Whether the kernel itself tells the time by `ticks`: then they are steady, and the same on all cores.
pub fn has_steady_ticks() -> bool {
    const CLOCK_SOURCE: &str = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
    cfg!(target_arch = "x86_64")
        && std::fs::read_to_string(CLOCK_SOURCE).is_ok_and(|name| name.trim() == "tsc")
}

/// Reads the beginning of a small file into `buffer` without allocating; the forked child uses it on /proc.
pub fn read_small_file<'a>(path: &str, buffer: &'a mut [u8]) -> io::Result<&'a [u8]> {
    let mut file = std::fs::File::open(path)?;
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(&buffer[..filled])
}

/// Reserves `bytes` of addresses for private memory that becomes real where it is touched. Never given back.
///
/// # Errors
/// ENOMEM when a limit on addresses is in force.
pub fn reserve_addresses(bytes: usize) -> io::Result<usize> {
    let protection = libc::PROT_READ | libc::PROT_WRITE;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    // SAFETY: a new mapping at an address of the kernel's choice touches nothing that exists.
    let address = unsafe { libc::mmap(std::ptr::null_mut(), bytes, protection, flags, -1, 0) };
    if address == libc::MAP_FAILED { Err(io::Error::last_os_error()) } else { Ok(address.addr()) }
}

/// Asks for huge pages under a range when it is touched.
///
/// # Errors
/// EINVAL on a kernel without transparent huge pages.
pub fn advise_huge_pages(start: usize, bytes: usize) -> io::Result<()> {
    // SAFETY: this advice decides which pages back the range, never what it contains.
    let result = unsafe { libc::madvise(start as *mut libc::c_void, bytes, libc::MADV_HUGEPAGE) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Keeps huge pages that are there and has no more come by themselves: neither at a touch nor by the kernel's own
/// thread, which would fill what the allocator gave back.
///
/// # Errors
/// EINVAL on a kernel without transparent huge pages.
pub fn advise_no_more_huge_pages(start: usize, bytes: usize) -> io::Result<()> {
    // SAFETY: this advice decides which pages back the range, never what it contains.
    let result = unsafe { libc::madvise(start as *mut libc::c_void, bytes, libc::MADV_NOHUGEPAGE) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// What is behind a stretch of addresses, in small pages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PageCounts {
    pub present: usize,
    /// Of them, those that are parts of huge pages.
    pub huge: usize,
}

/// Asks the kernel what is behind addresses of this process (PAGEMAP_SCAN, Linux 6.7).
pub struct PageMap {
    file: std::fs::File,
}

/// `struct pm_scan_arg` of linux/fs.h.
#[repr(C)]
#[derive(Default)]
struct PageScan {
    size: u64,
    flags: u64,
    start: u64,
    end: u64,
    walk_end: u64,
    regions: u64,
    regions_max: u64,
    pages_max: u64,
    inverted: u64,
    required: u64,
    any_of: u64,
    returned: u64,
}

/// `struct page_region` of linux/fs.h.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct PageRegion {
    start: u64,
    end: u64,
    categories: u64,
}

impl PageMap {
    /// # Errors
    /// When /proc is not there.
    pub fn open() -> io::Result<PageMap> {
        Ok(PageMap { file: std::fs::File::open("/proc/self/pagemap")? })
    }

    /// Counts the small pages of `start..start + bytes`, which is no more than a huge page.
    ///
    /// # Errors
    /// ENOTTY on older kernels.
    pub fn count(&self, start: usize, bytes: usize) -> nix::Result<PageCounts> {
        // _IOWR('f', 16, struct pm_scan_arg)
        const PAGEMAP_SCAN: libc::Ioctl = 0xc060_6610;
        const PRESENT: u64 = 1 << 3;
        const HUGE: u64 = 1 << 6;
        // Alternating pages make the most regions; what does not fit is as good as not present.
        let mut regions = [PageRegion::default(); RESIDENCY_PAGES_MAX / 2];
        let mut scan = PageScan {
            size: size_of::<PageScan>() as u64,
            start: start as u64,
            end: (start + bytes) as u64,
            regions: regions.as_mut_ptr().expose_provenance() as u64,
            regions_max: regions.len() as u64,
            required: PRESENT,
            returned: PRESENT | HUGE,
            ..PageScan::default()
        };
        // SAFETY: both structures have the kernel's layout; it writes no more regions than there are, and reads no
        // memory but its page tables.
        let filled = unsafe { libc::ioctl(self.file.as_raw_fd(), PAGEMAP_SCAN, &raw mut scan) };
        let filled = nix::errno::Errno::result(filled)? as usize;
        let pages = |region: &PageRegion| (region.end - region.start) as usize / SMALL_PAGE_BYTES_MIN;
        let found = || regions[..filled.min(regions.len())].iter();
        let present = found().map(pages).sum();
        Ok(PageCounts {
            present,
            huge: found().filter(|found| found.categories & HUGE != 0).map(pages).sum(),
        })
    }
}

/// Makes a range resident and writable without changing what it contains (MADV_POPULATE_WRITE, Linux 5.14).
///
/// # Errors
/// EINVAL on older kernels, ENOMEM when something in the range is not mapped (any more).
pub fn populate(start: usize, bytes: usize) -> io::Result<()> {
    // SAFETY: the kernel faults the pages in as if each were read and written back; an address that is not ours is its
    // error, not undefined behaviour.
    let result = unsafe { libc::madvise(start as *mut libc::c_void, bytes, libc::MADV_POPULATE_WRITE) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Whom the kernel's disk scheduler serves first (ioprio_set(2)); schedulers that know no priorities ignore it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IoPriority {
    /// Only when nobody else wants the disk.
    Idle,
    /// 0, served first, to 7.
    BestEffort(u8),
}

/// Sets the priority of the calling thread and of those it starts from now on. No allocation, no lock.
///
/// # Errors
/// ENOSYS on a kernel built without it.
pub fn set_io_priority(priority: IoPriority) -> nix::Result<()> {
    const WHO_PROCESS: libc::c_int = 1;
    const CLASS_SHIFT: u32 = 13;
    let (class, level) = match priority {
        IoPriority::BestEffort(level) => (2, libc::c_int::from(level.min(7))),
        IoPriority::Idle => (3, 0),
    };
    // SAFETY: plain numbers; 0 stands for the calling thread.
    let result = unsafe { libc::syscall(libc::SYS_ioprio_set, WHO_PROCESS, 0, class << CLASS_SHIFT | level) };
    nix::errno::Errno::result(result).map(drop)
}

/// Has the scheduler run this thread only when nothing else wants its core.
pub fn prefer_idle_time() {
    let parameters = libc::sched_param { sched_priority: 0 };
    // SAFETY: 0 stands for the calling thread; a refusal changes nothing.
    unsafe { libc::sched_setscheduler(0, libc::SCHED_IDLE, &parameters) };
}

/// The system's words for an error, without Rust's ` (os error N)`.
pub fn reason(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(number) => nix::errno::Errno::from_raw(number).desc().to_owned(),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_offset_is_within_a_day() {
        let offset = local_utc_offset_s(1_700_000_000);
        assert!((-86_400..=86_400).contains(&offset) && offset % 60 == 0, "{offset}");
    }

    #[test]
    fn the_stack_layout_is_ordered() {
        let [arg_start, arg_end, env_start, env_end] = stack_layout().unwrap();
        assert!(arg_start < arg_end && arg_end <= env_start && env_start <= env_end);
    }

    #[test]
    fn the_environment_stays_while_threads_run() {
        std::thread::scope(|scope| {
            let (done, wait) = std::sync::mpsc::channel::<()>();
            scope.spawn(move || wait.recv());
            assert!(!move_environment());
            drop(done);
        });
    }

    #[test]
    fn a_thread_has_the_io_priority_that_it_was_given() {
        let priority = |wanted| {
            set_io_priority(wanted).unwrap();
            // SAFETY: asks about the calling thread.
            unsafe { libc::syscall(libc::SYS_ioprio_get, 1, 0) }
        };
        std::thread::spawn(move || {
            assert_eq!(priority(IoPriority::BestEffort(6)), 2 << 13 | 6);
            assert_eq!(priority(IoPriority::Idle) >> 13, 3);
        })
        .join()
        .unwrap();
    }

    #[test]
    fn the_kernel_tells_small_pages_from_huge_ones() {
        const BYTES: usize = 2 << 20;
        let start = reserve_addresses(2 * BYTES).unwrap().next_multiple_of(BYTES);
        let map = PageMap::open().unwrap();
        match map.count(start, BYTES) {
            // Linux before 6.7.
            Err(nix::errno::Errno::ENOTTY) => return,
            counts => assert_eq!(counts, Ok(PageCounts::default())),
        }
        let small = || advise_no_more_huge_pages(start, BYTES).and_then(|()| populate(start, 4096 * 3));
        if small().is_ok() {
            assert_eq!(map.count(start, BYTES), Ok(PageCounts { present: 3, huge: 0 }));
        }
        let huge = || advise_huge_pages(start, BYTES).and_then(|()| populate(start, BYTES));
        if huge().is_ok() && collapse_to_huge_pages(start, BYTES).is_ok() {
            assert_eq!(map.count(start, BYTES), Ok(PageCounts { present: 512, huge: 512 }));
            assert!(advise_no_more_huge_pages(start, BYTES).is_ok());
            assert_eq!(map.count(start, BYTES), Ok(PageCounts { present: 512, huge: 512 }));
        }
    }

    #[test]
    fn a_wild_range_is_an_error() {
        assert!(collapse_to_huge_pages(1, 10).is_err());
    }

    #[test]
    fn small_files_are_read_as_far_as_the_buffer_goes() {
        let mut buffer = [0; 5];
        assert_eq!(read_small_file("/proc/self/stat", &mut buffer).unwrap().len(), 5);
        assert!(read_small_file("/nowhere/at/all", &mut buffer).is_err());
    }
}
