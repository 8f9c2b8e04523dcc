"""The tables of jobs, in words that SQLite and PostgreSQL share. Times are seconds since 1970."""

from __future__ import annotations

FIRST = """
create table job (
  id text primary key,
  kind text not null,
  owner text not null,
  state text not null,
  inputs text not null,
  created double precision not null,
  updated double precision not null,
  started double precision,
  finished double precision,
  progress double precision not null default 0,
  message text not null default '',
  error_kind text not null default '',
  attempts integer not null default 0,
  outputs text not null default '[]',
  title text not null default '',
  dialect text not null default '',
  version integer not null default 1,
  submission text,
  worker text not null default '',
  lease double precision not null default 0,
  deaths integer not null default 0,
  refusals integer not null default 0,
  due double precision not null default 0,
  place text not null default '',
  stored bigint not null default 0,
  settled integer not null default 0
);
create unique index job_submission on job (owner, submission) where submission is not null;
create index job_queue on job (state, owner, created);
create index job_owner on job (owner, created, id);
create index job_created on job (created, id);
create index job_unsettled on job (finished) where settled = 0 and finished is not null;
create table log (
  job text not null references job (id) on delete cascade,
  number integer not null,
  at double precision not null,
  level text not null,
  text text not null,
  primary key (job, number)
);
create table step (
  job text not null references job (id) on delete cascade,
  name text not null,
  result text not null,
  primary key (job, name)
);
create table worker (
  id text primary key,
  host text not null,
  pid integer not null,
  started double precision not null,
  seen double precision not null
);
create table schedule (
  name text primary key,
  cron text not null,
  kind text not null,
  owner text not null,
  inputs text not null,
  title text not null,
  due double precision not null,
  last_job text not null default ''
);
create table start_rule (
  name text primary key,
  event text not null,
  kind text not null,
  owner text not null,
  inputs text not null,
  title text not null
);
create table outbox (
  id text primary key,
  event text not null,
  subject text not null,
  at double precision not null
);
"""
"""`lease` is until when a running job belongs to its worker; `due` is when a waiting one may start; `submission` is the
key that makes submitting idempotent; `version` grows with every change that its owner can see."""

MIGRATIONS = (FIRST,)
"""One script a version, never edited once released."""
