//! The sensor turns packets that reach unused address space into one small
//! summary per interval, and delivers it to the collector.

pub mod packet;
