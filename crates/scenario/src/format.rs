//! The format, key by key. What stands in the documentation of these types stands in the schema.

mod action;
mod broker;
mod cluster;
mod consumer;
mod distribution;
mod expect;
mod fact;
mod fault;
mod key;
mod limits;
mod link;
mod message;
mod network;
mod partitioner;
mod producer;
mod scenario;
mod topic;
mod transactions;
mod when;
mod who;
mod workload;

pub(crate) use cluster::ClusterPart;
pub(crate) use consumer::ConsumerPart;
pub(crate) use fault::{ArmedRules, FaultPart};
pub(crate) use producer::ProducerPart;
pub(crate) use scenario::{FixPart, Scenario, check_names};
pub(crate) use topic::TopicPart;
