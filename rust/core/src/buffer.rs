//! Memory for numbers: aligned to a cache line, zeroed, and refused politely.
//!
//! A `Vec` that cannot be had aborts the process; a [`Buffer`] that cannot be had is an error. Its address never
//! changes, so that a view of it made elsewhere (NumPy's) stays good for as long as the buffer lives.

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;

use crate::error::{Error, Result};
use crate::scalar::Scalar;

/// One cache line, and one AVX-512 register.
const ALIGNMENT: usize = 64;

/// A fixed number of numbers at a fixed address.
#[derive(Debug)]
pub(crate) struct Buffer<T: Scalar> {
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
            return Ok(Self { start: NonNull::dangling(), len });
        }
        let refused = || Error::OutOfMemory { what, elements: len };
        let layout = Self::layout(len).ok_or_else(refused)?;
        // SAFETY: the layout has a size > 0, since `len` > 0 and `T` has one.
        let start = unsafe { alloc_zeroed(layout) };
        let start = NonNull::new(start.cast::<T>()).ok_or_else(refused)?;
        Ok(Self { start, len })
    }

    /// The address of the first number. Good for as long as the buffer lives, whatever is borrowed in between.
    pub(crate) fn as_ptr(&self) -> *mut T {
        self.start.as_ptr()
    }

    fn layout(len: usize) -> Option<Layout> {
        Layout::array::<T>(len).ok()?.align_to(ALIGNMENT).ok()
    }
}

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
            unsafe { dealloc(self.start.as_ptr().cast(), layout) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_on_a_cache_line_with_zeros() {
        for len in [1, 3, 16, 1000] {
            let buffer = Buffer::<f64>::zeros("test", len).unwrap();
            assert_eq!(buffer.as_ptr() as usize % ALIGNMENT, 0);
            assert!(buffer.iter().all(|&value| value == 0.0));
            assert_eq!(buffer.len(), len);
        }
    }

    #[test]
    fn refuses_what_cannot_be_had() {
        for len in [usize::MAX, usize::MAX / 8, 1 << 60] {
            // A buffer nobody looks at would be optimised away.
            let refused = std::hint::black_box(Buffer::<f32>::zeros("test", len));
            assert!(matches!(refused, Err(Error::OutOfMemory { what: "test", .. })));
        }
    }

    #[test]
    fn an_empty_buffer_is_fine() {
        let mut buffer = Buffer::<f32>::zeros("test", 0).unwrap();
        buffer.fill(1.0);
        assert!(buffer.is_empty());
    }
}
