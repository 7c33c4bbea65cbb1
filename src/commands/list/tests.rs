//! The list commands on a server without a network.
