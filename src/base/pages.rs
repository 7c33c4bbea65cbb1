//! Memory pages: whether huge pages work here, and how many bytes of which kind the process holds.
//!
//! The heap lives on transparent huge pages because a fork then copies 512 times fewer page-table entries.
//! Since Linux 5.8 a write after the fork splits the huge page and copies 4 KiB of it; before, it copied 2
//! MiB, which is why others turn huge pages off.
//!
//! A process says with `hold_back` that it wants none at all yet, and with `allow` that it does now: a small heap would
//! only be rounded up to 2 MiB here and there.
//!
//! Everything here reads /proc, /sys or asks the kernel. Sizes are bytes. What cannot be read is `None`.
//! Deliberately absent: which ranges to repair and when (`persist` decides).

use std::io;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use nix::sys::prctl;
use nix::sys::utsname::uname;
use nix::unistd::{SysconfVar, sysconf};

use super::os::{self, PageMap, read_small_file};

/// The first kernel whose copy-on-write splits huge pages instead of copying them.
const KERNEL_MIN: (u32, u32) = (5, 8);

/// x86-64 and aarch64 with 4 KiB pages.
pub const HUGE_PAGE_BYTES: usize = 2 << 20;

/// Of the 512 small pages of a huge one so many must be resident before they are put together: what the allocator gave
/// back must not come back.
const RESIDENT_PAGES_MIN: usize = 480;

/// Enough for /proc/self/smaps_rollup, about 900 bytes on today's kernels.
pub const ROLLUP_BUFFER_BYTES: usize = 4096;

/// Whether the heap can be on huge pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HugePages {
    Enabled,
    /// The reason, to be printed as it is.
    Off(String),
}

/// Which kernels are trusted with huge pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// Those that split them at a write after a fork.
    GoodKernels,
    AnyKernel,
}

/// Who has this process get no huge pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeldBack {
    /// Nobody but `hold_back`.
    ByUs,
    /// Whoever started it.
    Before,
}

/// Asks the host: the kernel's version, the mode of transparent huge pages, and what `hold_back` found.
pub fn huge_pages(trust: Trust, held_back: HeldBack) -> HugePages {
    if held_back == HeldBack::Before {
        return HugePages::Off("disabled for this process by prctl(PR_SET_THP_DISABLE)".to_owned());
    }
    let mode = std::fs::read_to_string("/sys/kernel/mm/transparent_hugepage/enabled").ok();
    judge_huge_pages(&kernel_release(), mode.as_deref(), trust)
}

/// This process gets no huge page from now on, wherever it asks. What it has stays.
pub fn hold_back() -> HeldBack {
    if prctl::get_thp_disable().unwrap_or(false) {
        return HeldBack::Before;
    }
    // A kernel that does not know it (before 3.15) has no huge pages that matter here.
    let _ = prctl::set_thp_disable(true);
    HeldBack::ByUs
}

/// Ends `hold_back`.
pub fn allow() {
    let _ = prctl::set_thp_disable(false);
}

/// The kernel's release, `6.18.44-amd64`.
pub fn kernel_release() -> String {
    uname().map(|names| names.release().to_string_lossy().into_owned()).unwrap_or_default()
}

fn judge_huge_pages(release: &str, mode: Option<&str>, trust: Trust) -> HugePages {
    let (major, minor) = KERNEL_MIN;
    match (parse_release(release), selected_mode(mode.unwrap_or(""))) {
        (Some(version), _) if version < KERNEL_MIN && trust == Trust::GoodKernels => HugePages::Off(format!(
            "kernel {release} copies whole huge pages on write; {major}.{minor} or newer is needed"
        )),
        (None, _) if trust == Trust::GoodKernels => {
            HugePages::Off(format!("kernel release '{release}' is not understood"))
        }
        (_, Some("always" | "madvise")) => HugePages::Enabled,
        (_, Some(other)) => {
            HugePages::Off(format!("/sys/kernel/mm/transparent_hugepage/enabled is '{other}'"))
        }
        (_, None) => HugePages::Off("the kernel has no transparent huge pages".to_owned()),
    }
}

/// `6.18.44-amd64` -> (6, 18)
fn parse_release(release: &str) -> Option<(u32, u32)> {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(|digits| digits.parse().ok());
    Some((numbers.next()??, numbers.next()??))
}

/// `always [madvise] never` -> `madvise`
fn selected_mode(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once('[')?;
    rest.split_once(']').map(|(mode, _)| mode)
}

/// Bytes of anonymous memory on huge pages. Walks the page tables: some microseconds per GB on huge pages, a
/// millisecond and more per GB on small ones.
pub fn anon_huge_bytes() -> Option<u64> {
    rollup_bytes(b"AnonHugePages:", &mut [0; ROLLUP_BUFFER_BYTES])
}

/// What `count_huge_bytes` found last.
static HUGE_BYTES: AtomicU64 = AtomicU64::new(0);

/// Counts the bytes on huge pages, for `huge_bytes_counted`. Off the loop: after a save, when the heap is in small
/// pages, it takes tens of milliseconds per GB.
pub fn count_huge_bytes() {
    if let Some(bytes) = anon_huge_bytes() {
        HUGE_BYTES.store(bytes, Ordering::Relaxed);
    }
}

/// Bytes on huge pages when they were counted last.
pub fn huge_bytes_counted() -> u64 {
    HUGE_BYTES.load(Ordering::Relaxed)
}

/// Bytes of the calling process that are its own and were written: in a forked child, what copy-on-write has
/// copied for it so far. Allocates nothing; `buffer` should have `ROLLUP_BUFFER_BYTES`.
pub fn copy_on_write_bytes(buffer: &mut [u8]) -> Option<u64> {
    rollup_bytes(b"Private_Dirty:", buffer)
}

fn rollup_bytes(field: &[u8], buffer: &mut [u8]) -> Option<u64> {
    field_kib(read_small_file("/proc/self/smaps_rollup", buffer).ok()?, field).map(|kib| kib * 1024)
}

/// The number of a line `Private_Dirty:      512 kB`.
fn field_kib(text: &[u8], field: &[u8]) -> Option<u64> {
    let line = text.split(|&byte| byte == b'\n').find(|line| line.starts_with(field))?;
    let digits = line[field.len()..].trim_ascii().split(|&byte| byte == b' ').next()?;
    parse_number(digits)
}

fn parse_number(digits: &[u8]) -> Option<u64> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// Resident set size of this process.
pub fn rss_bytes() -> Option<u64> {
    let mut buffer = [0; 128];
    let text = read_small_file("/proc/self/statm", &mut buffer).ok()?;
    let pages = parse_number(text.split(|&byte| byte == b' ').nth(1)?)?;
    Some(pages * page_bytes())
}

/// Bytes of a small page.
pub fn page_bytes() -> u64 {
    positive(sysconf(SysconfVar::PAGE_SIZE)).unwrap_or(4096)
}

/// Physical memory of the host.
pub fn total_system_memory_bytes() -> u64 {
    positive(sysconf(SysconfVar::_PHYS_PAGES)).unwrap_or(0) * page_bytes()
}

fn positive(answer: nix::Result<Option<libc::c_long>>) -> Option<u64> {
    u64::try_from(answer.ok()??).ok()
}

/// Writable private anonymous mappings, cut to whole huge pages: where huge pages can be.
///
/// # Errors
/// When /proc/self/maps cannot be read.
pub fn huge_page_ranges() -> io::Result<Vec<Range<usize>>> {
    let maps = std::fs::read_to_string("/proc/self/maps")?;
    Ok(maps.lines().filter_map(parse_mapping).collect())
}

/// `7f00-7f80 rw-p 00000000 00:00 0   [anon: name]`
fn parse_mapping(line: &str) -> Option<Range<usize>> {
    let mut fields = line.split_ascii_whitespace();
    let (start, end) = fields.next()?.split_once('-')?;
    let (access, _, _, inode) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
    let special = fields.next().is_some_and(|name| name == "[stack]" || name == "[heap]");
    if access != "rw-p" || inode != "0" || special {
        return None;
    }
    let start = usize::from_str_radix(start, 16).ok()?.checked_next_multiple_of(HUGE_PAGE_BYTES)?;
    let end = usize::from_str_radix(end, 16).ok()? / HUGE_PAGE_BYTES * HUGE_PAGE_BYTES;
    (start < end).then_some(start..end)
}

/// Whether the huge page's worth of addresses at `start` is full of small pages.
pub fn is_split(start: usize, map: Option<&PageMap>) -> bool {
    match map.map(|map| map.count(start, HUGE_PAGE_BYTES)) {
        Some(Ok(pages)) => pages.present >= RESIDENT_PAGES_MIN && pages.huge == 0,
        // A kernel that does not tell: collapsing what is on a huge page does nothing.
        _ => os::resident_pages(start, HUGE_PAGE_BYTES).is_ok_and(|present| present >= RESIDENT_PAGES_MIN),
    }
}

/// Puts one huge page under each 2 MiB of `range` that is backed by small pages (Linux 6.1); contents do not
/// change.
///
/// # Errors
/// EINVAL: the kernel cannot, or nothing of the range is populated. EAGAIN, ENOMEM: no huge page is free now.
pub fn collapse(range: Range<usize>) -> io::Result<()> {
    os::collapse_to_huge_pages(range.start, range.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_kernels_and_never_are_told_apart() {
        let off = |release, mode| match judge_huge_pages(release, mode, Trust::GoodKernels) {
            HugePages::Enabled => String::new(),
            HugePages::Off(reason) => reason,
        };
        let madvise = Some("always [madvise] never\n");
        assert_eq!(off("6.18.44-fc", madvise), "");
        assert_eq!(off("5.8.0", Some("[always] madvise never")), "");
        assert!(off("5.7.19", madvise).starts_with("kernel 5.7.19 copies"));
        assert!(off("4.19", madvise).starts_with("kernel 4.19 copies"));
        assert!(off("6.1.0", Some("always madvise [never]")).ends_with("'never'"));
        assert!(off("6.1.0", None).contains("no transparent huge pages"));
        assert!(off("strange", madvise).contains("not understood"));
        for release in ["4.19", "strange"] {
            assert_eq!(judge_huge_pages(release, madvise, Trust::AnyKernel), HugePages::Enabled);
        }
    }

    #[test]
    fn fields_of_the_rollup_are_found() {
        let text =
            b"55d0-7ffd ---p 0 00:00 0 [rollup]\nRss:   1900 kB\nPrivate_Dirty:       512 kB\nX: 1 kB\n";
        assert_eq!(field_kib(text, b"Private_Dirty:"), Some(512));
        assert_eq!(field_kib(text, b"AnonHugePages:"), None);
        assert_eq!(field_kib(b"Private_Dirty: kB", b"Private_Dirty:"), None);
    }

    #[test]
    fn mappings_are_cut_to_whole_huge_pages() {
        let range = |line| parse_mapping(line);
        assert_eq!(range("00100000-00700000 rw-p 00000000 00:00 0 "), Some(0x20_0000..0x60_0000));
        assert_eq!(range("00100000-00300000 rw-p 00000000 00:00 0"), None);
        assert_eq!(range("00200000-00600000 r--p 00000000 00:00 0"), None);
        assert_eq!(range("00200000-00600000 rw-p 00000000 08:01 77 /bin/x"), None);
        assert_eq!(range("00200000-00600000 rw-p 00000000 00:00 0 [stack]"), None);
        assert_eq!(range("garbage"), None);
    }

    #[test]
    fn this_process_has_memory() {
        let mut buffer = [0; ROLLUP_BUFFER_BYTES];
        // Other tests free memory meanwhile, so one of several tries must show the growth.
        let mut grows = || {
            let before = copy_on_write_bytes(&mut buffer).unwrap();
            let block = std::hint::black_box(vec![7_u8; 32 << 20]);
            copy_on_write_bytes(&mut buffer).unwrap() >= before + block.len() as u64 / 2
        };
        assert!((0..20).any(|_| grows()));
        let block = std::hint::black_box(vec![7_u8; 32 << 20]);
        assert!(rss_bytes().unwrap() > 32 << 20);
        assert!(total_system_memory_bytes() > rss_bytes().unwrap());
        assert!(anon_huge_bytes().is_some() && page_bytes() >= 4096);
        let start = block.as_ptr() as usize;
        let ranges = huge_page_ranges().unwrap();
        assert!(ranges.iter().any(|range| range.contains(&(start + (16 << 20)))), "{start:x} {ranges:x?}");
    }

    #[test]
    fn the_heap_is_on_huge_pages_where_the_host_allows() {
        if huge_pages(Trust::GoodKernels, HeldBack::ByUs) == HugePages::Enabled {
            let block = std::hint::black_box(vec![7_u8; 64 << 20]);
            let huge = anon_huge_bytes().unwrap();
            assert!(
                huge >= 4 * HUGE_PAGE_BYTES as u64,
                "{huge} bytes on huge pages, {} allocated",
                block.len()
            );
        }
    }

    #[test]
    fn only_full_steps_on_small_pages_are_split() {
        let start = os::reserve_addresses(3 * HUGE_PAGE_BYTES).unwrap().next_multiple_of(HUGE_PAGE_BYTES);
        let map = PageMap::open().ok();
        let split = || (is_split(start, map.as_ref()), is_split(start, None));
        assert_eq!(split(), (false, false));
        let populated = os::advise_no_more_huge_pages(start, HUGE_PAGE_BYTES)
            .and_then(|()| os::populate(start, 100 * 4096));
        assert_eq!(split(), (false, false), "100 pages are not all");
        let populated = populated.and_then(|()| os::populate(start, HUGE_PAGE_BYTES));
        if populated.is_ok() {
            assert_eq!(split(), (true, true));
        }
    }
}
