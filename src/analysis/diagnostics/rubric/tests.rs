//! Every rule about a rubric as a whole.
