CREATE TABLE public.ingest_meta (
    name text NOT NULL,
    value text NOT NULL
);
CREATE TABLE public.ingest_node (
    node text NOT NULL,
    claim text NOT NULL,
    host text NOT NULL,
    process bigint NOT NULL,
    seen bigint NOT NULL
);
CREATE TABLE public.ingest_qrtz_blob_triggers (
    sched_name text NOT NULL,
    trigger_name text NOT NULL,
    trigger_group text NOT NULL,
    blob_data bytea
);
CREATE TABLE public.ingest_qrtz_calendars (
    sched_name text NOT NULL,
    calendar_name text NOT NULL,
    calendar bytea NOT NULL
);
CREATE TABLE public.ingest_qrtz_cron_triggers (
    sched_name text NOT NULL,
    trigger_name text NOT NULL,
    trigger_group text NOT NULL,
    cron_expression text NOT NULL,
    time_zone_id text
);
CREATE TABLE public.ingest_qrtz_execution_history (
    sched_name text NOT NULL,
    entry_id text NOT NULL,
    instance_name text NOT NULL,
    job_name text NOT NULL,
    job_group text NOT NULL,
    trigger_name text NOT NULL,
    trigger_group text NOT NULL,
    fired_time bigint NOT NULL,
    run_time bigint NOT NULL,
    succeeded boolean NOT NULL,
    error_message text,
    retry_attempt integer DEFAULT 0 NOT NULL,
    retry_scheduled boolean DEFAULT false NOT NULL,
    execution_log text,
    result integer,
    summary text,
    metrics text,
    manual boolean,
    fire_instance_id text,
    job_input text,
    job_input_too_large boolean
);
CREATE TABLE public.ingest_qrtz_fired_triggers (
    sched_name text NOT NULL,
    entry_id text NOT NULL,
    trigger_name text NOT NULL,
    trigger_group text NOT NULL,
    instance_name text NOT NULL,
    fired_time bigint NOT NULL,
    sched_time bigint NOT NULL,
    priority integer NOT NULL,
    state text NOT NULL,
    job_name text,
    job_group text,
    is_nonconcurrent boolean NOT NULL,
    requests_recovery boolean,
    execution_group character varying(200),
    progress integer,
    progress_message character varying(250),
    interrupt_requested_time bigint
);
CREATE TABLE public.ingest_qrtz_job_details (
    sched_name text NOT NULL,
    job_name text NOT NULL,
    job_group text NOT NULL,
    description text,
    job_class_name text NOT NULL,
    is_durable boolean NOT NULL,
    is_nonconcurrent boolean NOT NULL,
    is_update_data boolean NOT NULL,
    requests_recovery boolean NOT NULL,
    job_data bytea
);
CREATE TABLE public.ingest_qrtz_job_status (
    sched_name text NOT NULL,
    job_group text NOT NULL,
    job_name text NOT NULL,
    first_fired_time bigint NOT NULL,
    last_fired_time bigint NOT NULL,
    last_result integer NOT NULL,
    last_run_time bigint NOT NULL,
    last_instance_name text NOT NULL,
    last_entry_id text,
    last_summary text,
    last_success_time bigint,
    last_failure_time bigint,
    last_failure_message text,
    consecutive_failures integer DEFAULT 0 NOT NULL,
    run_count bigint DEFAULT 0 NOT NULL,
    failure_count bigint DEFAULT 0 NOT NULL
);
CREATE TABLE public.ingest_qrtz_locks (
    sched_name text NOT NULL,
    lock_name text NOT NULL
);
CREATE TABLE public.ingest_qrtz_misfire_history (
    sched_name text NOT NULL,
    entry_id text NOT NULL,
    instance_name text NOT NULL,
    trigger_name text NOT NULL,
    trigger_group text NOT NULL,
    job_name text,
    job_group text,
    misfire_time bigint NOT NULL,
    sched_time bigint,
    reason integer
);
CREATE TABLE public.ingest_qrtz_paused_job_grps (
    sched_name text NOT NULL,
    job_group text NOT NULL,
    pause_reason character varying(250),
    paused_by character varying(200),
    paused_at bigint
);
CREATE TABLE public.ingest_qrtz_paused_trigger_grps (
    sched_name text NOT NULL,
    trigger_group text NOT NULL,
    pause_reason character varying(250),
    paused_by character varying(200),
    paused_at bigint
);
CREATE TABLE public.ingest_qrtz_scheduler_state (
    sched_name text NOT NULL,
    instance_name text NOT NULL,
    last_checkin_time bigint NOT NULL,
    checkin_interval bigint NOT NULL,
    quartz_version character varying(20)
);
CREATE TABLE public.ingest_qrtz_simple_triggers (
    sched_name text NOT NULL,
    trigger_name text NOT NULL,
    trigger_group text NOT NULL,
    repeat_count bigint NOT NULL,
    repeat_interval bigint NOT NULL,
    times_triggered bigint NOT NULL
);
CREATE TABLE public.ingest_qrtz_simprop_triggers (
    sched_name text NOT NULL,
    trigger_name text NOT NULL,
    trigger_group text NOT NULL,
    str_prop_1 text,
    str_prop_2 text,
    str_prop_3 text,
    int_prop_1 integer,
    int_prop_2 integer,
    long_prop_1 bigint,
    long_prop_2 bigint,
    dec_prop_1 numeric,
    dec_prop_2 numeric,
    bool_prop_1 boolean,
    bool_prop_2 boolean,
    time_zone_id text
);
CREATE TABLE public.ingest_qrtz_triggers (
    sched_name text NOT NULL,
    trigger_name text NOT NULL,
    trigger_group text NOT NULL,
    job_name text NOT NULL,
    job_group text NOT NULL,
    description text,
    next_fire_time bigint,
    prev_fire_time bigint,
    priority integer,
    trigger_state text NOT NULL,
    trigger_type text NOT NULL,
    start_time bigint NOT NULL,
    end_time bigint,
    calendar_name text,
    misfire_instr smallint,
    misfire_orig_fire_time bigint,
    execution_group character varying(200),
    preferred_node character varying(200),
    preferred_node_auto boolean DEFAULT false NOT NULL,
    retry_policy character varying(250),
    retry_attempt integer,
    continues_trigger_name text,
    continues_trigger_group text,
    continuation_condition integer,
    overlap_policy integer,
    pause_reason character varying(250),
    paused_by character varying(200),
    paused_at bigint,
    misfire_threshold bigint,
    fixed_delay boolean,
    job_data bytea
);
CREATE TABLE public.ingest_run (
    id bigint NOT NULL,
    name_key text NOT NULL,
    name text NOT NULL,
    due_key text NOT NULL,
    due_at bigint NOT NULL,
    manual bigint NOT NULL,
    status text NOT NULL,
    ended bigint NOT NULL,
    started_at bigint,
    completed_at bigint,
    load text NOT NULL,
    spool text,
    host text NOT NULL,
    transaction_ids text NOT NULL,
    remote_name text,
    completed bigint,
    total bigint,
    unit text,
    message text,
    marker text,
    node text,
    claim text,
    stop_requested bigint DEFAULT 0 NOT NULL
);
ALTER TABLE public.ingest_run ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.ingest_run_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.ingest_run_log (
    id bigint NOT NULL,
    run_id bigint NOT NULL,
    written_at bigint NOT NULL,
    severity text NOT NULL,
    message text NOT NULL
);
ALTER TABLE public.ingest_run_log ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.ingest_run_log_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.ingest_schedule (
    name_key text NOT NULL,
    revision text NOT NULL,
    definition text NOT NULL,
    status text NOT NULL,
    reason text,
    spool text,
    registered_at bigint NOT NULL,
    registered_by text,
    next_due bigint
);
CREATE TABLE public.ingest_spool (
    name text NOT NULL,
    part bigint NOT NULL,
    content bytea NOT NULL,
    kept_at bigint NOT NULL
);
INSERT INTO public.ingest_meta VALUES ('schema', '1');
INSERT INTO public.ingest_meta VALUES ('quartz', '4.7.3');
INSERT INTO public.ingest_node VALUES ('one', '99536a32189e4942875f1ce5b8b7faae', 'machine', 20275, 1795731226003);
INSERT INTO public.ingest_qrtz_cron_triggers VALUES ('ingest-scheduler', 'yearly', 'DEFAULT', '0 0 3 1 1 ?', 'UTC');
INSERT INTO public.ingest_qrtz_fired_triggers VALUES ('ingest-scheduler', 'one44154339689690', 'often', 'DEFAULT', 'one', 639313280263297358, 639313280271880000, 5, 'ACQUIRED', NULL, NULL, false, false, NULL, NULL, NULL, NULL);
INSERT INTO public.ingest_qrtz_job_details VALUES ('ingest-scheduler', 'plan', 'DEFAULT', NULL, 'IngestTools.Scheduler.Timing.PlanJob, ingest-scheduler', true, false, false, true, NULL);
INSERT INTO public.ingest_qrtz_locks VALUES ('ingest-scheduler', 'TRIGGER_ACCESS');
INSERT INTO public.ingest_qrtz_locks VALUES ('ingest-scheduler', 'STATE_ACCESS');
INSERT INTO public.ingest_qrtz_scheduler_state VALUES ('ingest-scheduler', 'one', 639313280239749609, 7500, '4.7.3');
INSERT INTO public.ingest_qrtz_simple_triggers VALUES ('ingest-scheduler', 'once', 'DEFAULT', 0, 0, 0);
INSERT INTO public.ingest_qrtz_simple_triggers VALUES ('ingest-scheduler', 'often', 'DEFAULT', -1, 1000, 0);
INSERT INTO public.ingest_qrtz_triggers VALUES ('ingest-scheduler', 'yearly', 'DEFAULT', 'plan', 'DEFAULT', '24e78aeed86f4f4eb0f6fbf24eb1a0a2', 639343692000000000, NULL, 5, 'WAITING', 'CRON', 639343692000000000, NULL, NULL, 2, NULL, NULL, NULL, false, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '\x7b225152545a5f5452414345504152454e54223a2230302d65306161643037613637376362363732363035656461386335343864376633622d663561353233663364393434663630322d3030227d');
INSERT INTO public.ingest_qrtz_triggers VALUES ('ingest-scheduler', 'once', 'DEFAULT', 'plan', 'DEFAULT', 'bbbde3e637c74fd1965155b81b5e04c5', 662065056000000000, NULL, 5, 'WAITING', 'SIMPLE', 662065056000000000, NULL, NULL, 1, NULL, NULL, NULL, false, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '\x7b225152545a5f5452414345504152454e54223a2230302d34383166343132663366643564663331376566316362626563643231356166362d636533643339333235313531356135642d3030227d');
INSERT INTO public.ingest_qrtz_triggers VALUES ('ingest-scheduler', 'often', 'DEFAULT', 'plan', 'DEFAULT', 'e309e52ebfb949798242f8e1702ea65b', 639313280271880000, NULL, 5, 'ACQUIRED', 'SIMPLE', 639313280271880000, NULL, NULL, 5, NULL, NULL, NULL, false, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '\x7b225152545a5f5452414345504152454e54223a2230302d33623836386234346635323339643033663730613138656131303430373136642d393739636338303462303862366436302d3030227d');
INSERT INTO public.ingest_run OVERRIDING SYSTEM VALUE VALUES (1, 'yearly', 'yearly', '24e78aeed86f4f4eb0f6fbf24eb1a0a2/manual/da5987b725f547e28fd4cb0a603e4abf', 1795731225482, 1, 'Succeeded', 1, 1795731225514, 1795731226164, '{"kind":"BulkIngest","connection":"dsp","server":"{server}","path":"{folder}","shortcode":"0001","recurse":false,"again":false}', NULL, '{host}', '["dsp:0001"]', NULL, 1, 1, 'files', NULL, '{"rows":0,"names":["one.txt"]}', 'one', '99536a32189e4942875f1ce5b8b7faae', 0);
INSERT INTO public.ingest_run_log OVERRIDING SYSTEM VALUE VALUES (1, 1, 1795731225548, 'Information', 'Begins on one: BulkIngest over dsp, due at 2026-11-26 22:13:45Z, 0.0 s late.');
INSERT INTO public.ingest_run_log OVERRIDING SYSTEM VALUE VALUES (2, 1, 1795731226039, 'Information', 'Submitted: dsp:0001.');
INSERT INTO public.ingest_run_log OVERRIDING SYSTEM VALUE VALUES (3, 1, 1795731226167, 'Information', 'Succeeded after 0.7 s, 1 of 1 files, dsp:0001.');
INSERT INTO public.ingest_schedule VALUES ('yearly', '24e78aeed86f4f4eb0f6fbf24eb1a0a2', '{"name":"yearly","load":{"kind":"BulkIngest","connection":"dsp","server":"{server}","path":"{folder}","shortcode":"0001","recurse":false,"again":false},"cron":"0 3 1 1 *","timeZone":"UTC","missedRun":"RunOnce","overlap":"Skip"}', 'Active', NULL, NULL, 1795731224437, 'ann@machine', 1798772400000);
INSERT INTO public.ingest_schedule VALUES ('paused', '8b864ad7935d4c8bb62573afaca9c538', '{"name":"paused","load":{"kind":"BulkIngest","connection":"dsp","server":"{server}","path":"{folder}","shortcode":"0001","recurse":false,"again":false},"cron":"0 4 1 1 *","timeZone":"UTC","missedRun":"RunOnce","overlap":"Skip"}', 'Suspended', 'the server is moved (ann@machine)', NULL, 1795731225352, 'ann@machine', 1798776000000);
INSERT INTO public.ingest_schedule VALUES ('once', 'bbbde3e637c74fd1965155b81b5e04c5', '{"name":"once","load":{"kind":"BulkIngest","connection":"dsp","server":"{server}","path":"{folder}","shortcode":"0001","recurse":false,"again":false},"at":"2099-01-01T00:00:00+00:00","timeZone":"UTC","missedRun":"RunOnce","overlap":"Skip"}', 'Active', NULL, NULL, 1795731225457, 'ann@machine', 4070908800000);
INSERT INTO public.ingest_schedule VALUES ('often', 'e309e52ebfb949798242f8e1702ea65b', '{"name":"often","load":{"kind":"BulkIngest","connection":"dsp","server":"{server}","path":"{folder}","shortcode":"0001","recurse":false,"again":false},"every":"00:00:01","timeZone":"UTC","missedRun":"RunOnce","overlap":"Skip"}', 'Active', NULL, NULL, 1795731226188, 'ann@machine', 1795731227188);
SELECT pg_catalog.setval('public.ingest_run_id_seq', 1, true);
SELECT pg_catalog.setval('public.ingest_run_log_id_seq', 3, true);
ALTER TABLE ONLY public.ingest_meta
    ADD CONSTRAINT ingest_meta_pkey PRIMARY KEY (name);
ALTER TABLE ONLY public.ingest_node
    ADD CONSTRAINT ingest_node_pkey PRIMARY KEY (node);
ALTER TABLE ONLY public.ingest_qrtz_blob_triggers
    ADD CONSTRAINT ingest_qrtz_blob_triggers_pkey PRIMARY KEY (sched_name, trigger_name, trigger_group);
ALTER TABLE ONLY public.ingest_qrtz_calendars
    ADD CONSTRAINT ingest_qrtz_calendars_pkey PRIMARY KEY (sched_name, calendar_name);
ALTER TABLE ONLY public.ingest_qrtz_cron_triggers
    ADD CONSTRAINT ingest_qrtz_cron_triggers_pkey PRIMARY KEY (sched_name, trigger_name, trigger_group);
ALTER TABLE ONLY public.ingest_qrtz_execution_history
    ADD CONSTRAINT ingest_qrtz_execution_history_pkey PRIMARY KEY (sched_name, entry_id);
ALTER TABLE ONLY public.ingest_qrtz_fired_triggers
    ADD CONSTRAINT ingest_qrtz_fired_triggers_pkey PRIMARY KEY (sched_name, entry_id);
ALTER TABLE ONLY public.ingest_qrtz_job_details
    ADD CONSTRAINT ingest_qrtz_job_details_pkey PRIMARY KEY (sched_name, job_name, job_group);
ALTER TABLE ONLY public.ingest_qrtz_job_status
    ADD CONSTRAINT ingest_qrtz_job_status_pkey PRIMARY KEY (sched_name, job_group, job_name);
ALTER TABLE ONLY public.ingest_qrtz_locks
    ADD CONSTRAINT ingest_qrtz_locks_pkey PRIMARY KEY (sched_name, lock_name);
ALTER TABLE ONLY public.ingest_qrtz_misfire_history
    ADD CONSTRAINT ingest_qrtz_misfire_history_pkey PRIMARY KEY (sched_name, entry_id);
ALTER TABLE ONLY public.ingest_qrtz_paused_job_grps
    ADD CONSTRAINT ingest_qrtz_paused_job_grps_pkey PRIMARY KEY (sched_name, job_group);
ALTER TABLE ONLY public.ingest_qrtz_paused_trigger_grps
    ADD CONSTRAINT ingest_qrtz_paused_trigger_grps_pkey PRIMARY KEY (sched_name, trigger_group);
ALTER TABLE ONLY public.ingest_qrtz_scheduler_state
    ADD CONSTRAINT ingest_qrtz_scheduler_state_pkey PRIMARY KEY (sched_name, instance_name);
ALTER TABLE ONLY public.ingest_qrtz_simple_triggers
    ADD CONSTRAINT ingest_qrtz_simple_triggers_pkey PRIMARY KEY (sched_name, trigger_name, trigger_group);
ALTER TABLE ONLY public.ingest_qrtz_simprop_triggers
    ADD CONSTRAINT ingest_qrtz_simprop_triggers_pkey PRIMARY KEY (sched_name, trigger_name, trigger_group);
ALTER TABLE ONLY public.ingest_qrtz_triggers
    ADD CONSTRAINT ingest_qrtz_triggers_pkey PRIMARY KEY (sched_name, trigger_name, trigger_group);
ALTER TABLE ONLY public.ingest_run
    ADD CONSTRAINT ingest_run_due_key_key UNIQUE (due_key);
ALTER TABLE ONLY public.ingest_run_log
    ADD CONSTRAINT ingest_run_log_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.ingest_run
    ADD CONSTRAINT ingest_run_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.ingest_schedule
    ADD CONSTRAINT ingest_schedule_pkey PRIMARY KEY (name_key);
ALTER TABLE ONLY public.ingest_spool
    ADD CONSTRAINT ingest_spool_pkey PRIMARY KEY (name, part);
CREATE INDEX idx_ingest_qrtz_eh_fire_inst ON public.ingest_qrtz_execution_history USING btree (sched_name, fire_instance_id);
CREATE INDEX idx_ingest_qrtz_eh_fired_time ON public.ingest_qrtz_execution_history USING btree (sched_name, fired_time);
CREATE INDEX idx_ingest_qrtz_eh_inst ON public.ingest_qrtz_execution_history USING btree (sched_name, instance_name);
CREATE INDEX idx_ingest_qrtz_eh_job_time ON public.ingest_qrtz_execution_history USING btree (sched_name, job_group, job_name, fired_time);
CREATE INDEX idx_ingest_qrtz_eh_trig_time ON public.ingest_qrtz_execution_history USING btree (sched_name, trigger_group, trigger_name, fired_time);
CREATE INDEX idx_ingest_qrtz_ft_inst_job_req_rcvry ON public.ingest_qrtz_fired_triggers USING btree (sched_name, instance_name, requests_recovery);
CREATE INDEX idx_ingest_qrtz_ft_j_g ON public.ingest_qrtz_fired_triggers USING btree (sched_name, job_name, job_group);
CREATE INDEX idx_ingest_qrtz_ft_t_g ON public.ingest_qrtz_fired_triggers USING btree (sched_name, trigger_name, trigger_group);
CREATE INDEX idx_ingest_qrtz_j_g_n ON public.ingest_qrtz_job_details USING btree (sched_name, job_group, job_name);
CREATE INDEX idx_ingest_qrtz_mh_inst ON public.ingest_qrtz_misfire_history USING btree (sched_name, instance_name);
CREATE INDEX idx_ingest_qrtz_mh_misfire_time ON public.ingest_qrtz_misfire_history USING btree (sched_name, misfire_time);
CREATE INDEX idx_ingest_qrtz_t_c ON public.ingest_qrtz_triggers USING btree (sched_name, calendar_name);
CREATE INDEX idx_ingest_qrtz_t_g_n ON public.ingest_qrtz_triggers USING btree (sched_name, trigger_group, trigger_name);
CREATE INDEX idx_ingest_qrtz_t_j ON public.ingest_qrtz_triggers USING btree (sched_name, job_name, job_group);
CREATE INDEX idx_ingest_qrtz_t_nft_st ON public.ingest_qrtz_triggers USING btree (sched_name, trigger_state, next_fire_time, priority DESC, misfire_instr);
CREATE INDEX ingest_run_completed ON public.ingest_run USING btree (completed_at);
CREATE INDEX ingest_run_going ON public.ingest_run USING btree (ended, host);
CREATE INDEX ingest_run_log_run ON public.ingest_run_log USING btree (run_id);
CREATE INDEX ingest_run_name ON public.ingest_run USING btree (name_key, id);
CREATE INDEX ingest_schedule_due ON public.ingest_schedule USING btree (status, next_due);
ALTER TABLE ONLY public.ingest_qrtz_blob_triggers
    ADD CONSTRAINT ingest_qrtz_blob_triggers_sched_name_trigger_name_trigger__fkey FOREIGN KEY (sched_name, trigger_name, trigger_group) REFERENCES public.ingest_qrtz_triggers(sched_name, trigger_name, trigger_group) ON DELETE CASCADE;
ALTER TABLE ONLY public.ingest_qrtz_cron_triggers
    ADD CONSTRAINT ingest_qrtz_cron_triggers_sched_name_trigger_name_trigger__fkey FOREIGN KEY (sched_name, trigger_name, trigger_group) REFERENCES public.ingest_qrtz_triggers(sched_name, trigger_name, trigger_group) ON DELETE CASCADE;
ALTER TABLE ONLY public.ingest_qrtz_simple_triggers
    ADD CONSTRAINT ingest_qrtz_simple_triggers_sched_name_trigger_name_trigge_fkey FOREIGN KEY (sched_name, trigger_name, trigger_group) REFERENCES public.ingest_qrtz_triggers(sched_name, trigger_name, trigger_group) ON DELETE CASCADE;
ALTER TABLE ONLY public.ingest_qrtz_simprop_triggers
    ADD CONSTRAINT ingest_qrtz_simprop_triggers_sched_name_trigger_name_trigg_fkey FOREIGN KEY (sched_name, trigger_name, trigger_group) REFERENCES public.ingest_qrtz_triggers(sched_name, trigger_name, trigger_group) ON DELETE CASCADE;
ALTER TABLE ONLY public.ingest_qrtz_triggers
    ADD CONSTRAINT ingest_qrtz_triggers_sched_name_job_name_job_group_fkey FOREIGN KEY (sched_name, job_name, job_group) REFERENCES public.ingest_qrtz_job_details(sched_name, job_name, job_group);
