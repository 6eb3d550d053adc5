//! Memory: what a process can have, buffers, and buffers at rest.

pub(crate) mod limit;
mod buffer;
mod pool;

pub(crate) use buffer::Buffer;
pub(crate) use pool::Pool;
