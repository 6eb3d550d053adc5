//! Memory for numbers: aligned to a cache line, zeroed, and with an error if there is none.
//!
//! A `Vec` that cannot be allocated aborts the process; a [`Buffer`] that cannot be allocated is an error, and so
//! is one that together with all others exceeds the process's limit. Its address never changes, so a view of it
//! made elsewhere (by NumPy) stays valid for as long as the buffer lives.

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::error::{Error, Result};
use crate::memory::limit;
use crate::numbers::Scalar;

/// One cache line, and one AVX-512 register.
const ALIGNMENT: usize = 64;

/// Buffers of this many bytes are staggered. The system puts them at the start of pages, so loops which go through
/// several of them in step would read and write at the same offset of all their pages, where they compete for the same
/// cache sets and confuse the prefetchers. Adam's step on parameters of 1 MB would take two to three times as long.
const LARGE: usize = 1 << 16;
const PAGE: usize = 4096;
/// An odd number of cache lines, [`STAGGERS`] of which fit into a page.
const STAGGER: usize = 9 * ALIGNMENT;
const STAGGERS: usize = PAGE / STAGGER;

/// Buffers of this many bytes ask for large pages, as NumPy's arrays of that size do: a matrix product walks down
/// columns of wide matrices, one page per row, and a processor caches the addresses of only some thousand pages.
const HUGE: usize = 1 << 22;
#[cfg(target_os = "linux")]
const HUGE_PAGE: usize = 1 << 21;

/// Bytes of all buffers of the process.
static HELD: AtomicUsize = AtomicUsize::new(0);

/// A fixed number of numbers at a fixed address.
#[derive(Debug)]
pub(crate) struct Buffer<T: Scalar> {
    allocated: NonNull<u8>,
    start: NonNull<T>,
    len: usize,
}

// SAFETY: a buffer owns its memory exclusively, as a boxed slice does, and `T` is `f32` or `f64`.
unsafe impl<T: Scalar> Send for Buffer<T> {}
// SAFETY: as above; shared references only read.
unsafe impl<T: Scalar> Sync for Buffer<T> {}

impl<T: Scalar> Buffer<T> {
    /// `len` zeros, or [`Error::OutOfMemory`] saying `what` they were for.
    pub(crate) fn zeros(what: &'static str, len: usize) -> Result<Self> {
        if len == 0 {
            return Ok(Self { allocated: NonNull::dangling(), start: NonNull::dangling(), len });
        }
        let refused = || Error::OutOfMemory { what, elements: len };
        let layout = Self::layout(len).ok_or_else(refused)?;
        let held = HELD.load(Ordering::Relaxed) as u64;
        limit::check(what, len, layout.size() as u64, held)?;
        // SAFETY: the layout has a size > 0, since `len` > 0 and `T` has one.
        let allocated = unsafe { alloc_zeroed(layout) };
        let allocated = NonNull::new(allocated).ok_or_else(refused)?;
        HELD.fetch_add(layout.size(), Ordering::Relaxed);
        if layout.size() >= HUGE {
            ask_for_huge_pages(allocated, layout.size());
        }
        let address = allocated.addr().get();
        let offset = if layout.align() == ALIGNMENT {
            0
        } else {
            address.next_multiple_of(PAGE) - address + next_place()
        };
        // SAFETY: the layout has room for `len` numbers from there on: for a large one, it is two pages longer.
        let start = unsafe { allocated.add(offset) };
        Ok(Self { allocated, start: start.cast(), len })
    }

    /// The address of the first number. It is valid for as long as the buffer lives, whatever is borrowed in
    /// between.
    pub(crate) fn as_ptr(&self) -> *mut T {
        self.start.as_ptr()
    }

    /// The allocation for `len` numbers. A large buffer begins in the first whole page: the allocator would clear
    /// memory that it must align, page by page, whereas other memory comes cleared from the system when it is first
    /// used.
    fn layout(len: usize) -> Option<Layout> {
        let numbers = Layout::array::<T>(len).ok()?;
        if numbers.size() < LARGE {
            return numbers.align_to(ALIGNMENT).ok();
        }
        Layout::from_size_align(numbers.size().checked_add(2 * PAGE)?, numbers.align()).ok()
    }
}

/// Where the next large buffer begins in its first page: buffers cycle through the offsets.
fn next_place() -> usize {
    static TURN: AtomicUsize = AtomicUsize::new(0);
    TURN.fetch_add(1, Ordering::Relaxed) % STAGGERS * STAGGER
}

/// Asks the system to back memory with large pages. The system may ignore it, and only time depends on it.
#[cfg(target_os = "linux")]
fn ask_for_huge_pages(start: NonNull<u8>, bytes: usize) {
    let before = start.align_offset(HUGE_PAGE);
    let whole = bytes.saturating_sub(before) / HUGE_PAGE * HUGE_PAGE;
    if whole > 0 {
        // SAFETY: these pages are inside memory that is ours, and the advice does not change their content.
        unsafe { libc::madvise(start.add(before).as_ptr().cast(), whole, libc::MADV_HUGEPAGE) };
    }
}

/// Other systems choose the size of pages themselves.
#[cfg(not(target_os = "linux"))]
fn ask_for_huge_pages(_: NonNull<u8>, _: usize) {}

impl<T: Scalar> Deref for Buffer<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        // SAFETY: `start` points to `len` initialised numbers (or dangles, aligned, for none) that live as long as self.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }
}

impl<T: Scalar> DerefMut for Buffer<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as in `deref`, and `&mut self` makes the borrow the only one on the Rust side.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.len) }
    }
}

impl<T: Scalar> Drop for Buffer<T> {
    fn drop(&mut self) {
        if let (true, Some(layout)) = (self.len > 0, Self::layout(self.len)) {
            // SAFETY: allocated in `zeros` with this very layout.
            unsafe { dealloc(self.allocated.as_ptr(), layout) }
            HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_on_a_cache_line_with_zeros() {
        for len in [1, 3, 16, 1000, 8191, 8192, 100_000] {
            let buffer = Buffer::<f64>::zeros("test", len).unwrap();
            assert_eq!(buffer.as_ptr() as usize % ALIGNMENT, 0);
            assert!(buffer.iter().all(|&value| value == 0.0));
            assert_eq!(buffer.len(), len);
        }
    }

    #[test]
    fn large_ones_begin_at_places_of_their_own_in_their_pages() {
        let buffers = [0; 4].map(|_| Buffer::<f32>::zeros("test", 1 << 18).unwrap());
        let mut places = buffers.each_ref().map(|buffer| buffer.as_ptr().addr() % PAGE);
        places.sort_unstable();
        assert!(places.windows(2).any(|pair| pair[0] + STAGGER <= pair[1]), "{places:?}");
    }

    #[test]
    fn refuses_what_cannot_be_had() {
        for len in [usize::MAX, usize::MAX / 8, 1 << 60] {
            // An unused buffer would be optimised away.
            let refused = std::hint::black_box(Buffer::<f32>::zeros("test", len));
            let error = refused.unwrap_err().to_string();
            assert!(error.starts_with(&format!("no memory for {len} numbers (test)")), "{error}");
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn all_buffers_together_are_what_the_process_can_have_at_most() {
        // Only pretended: nearly all memory is taken.
        let others = usize::MAX / 2;
        HELD.fetch_add(others, Ordering::Relaxed);
        let refused = std::hint::black_box(Buffer::<f32>::zeros("test", 1 << 24));
        HELD.fetch_sub(others, Ordering::Relaxed);
        assert!(matches!(refused, Err(Error::TooLarge { what: "test", elements: 0x100_0000, .. })));
        drop(std::hint::black_box(Buffer::<f32>::zeros("test", 1 << 24)).unwrap());
    }

    #[test]
    fn an_empty_buffer_is_fine() {
        let mut buffer = Buffer::<f32>::zeros("test", 0).unwrap();
        buffer.fill(1.0);
        assert!(buffer.is_empty());
    }
}
