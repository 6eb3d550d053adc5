//! Memory: limits, buffers, and a pool of buffers that are not in use.

pub(crate) mod limit;
mod buffer;
mod pool;

pub(crate) use buffer::Buffer;
pub(crate) use pool::Pool;
