--
-- PostgreSQL database dump
--

SET statement_timeout = 0;

CREATE TABLE public.addresses (
    id integer NOT NULL
);

COPY public.addresses (id, display_name) FROM stdin;
1	Somewhere
\.


COPY public.charges (id, date, battery_level, charge_energy_added, charger_actual_current, charger_phases, charger_power, charger_voltage, fast_charger_present, rated_battery_range_km, outside_temp, charging_process_id) FROM stdin;
1	2026-06-01 20:10:00	51	0.7	16	3	11	230	f	250.5	15.5	1
2	2026-06-01 20:20:00	53	2.5	16	3	11	231	f	260.5	15.5	1
\.


COPY public.charging_processes (id, start_date, end_date, charge_energy_added, start_battery_level, end_battery_level, start_rated_range_km, end_rated_range_km, car_id) FROM stdin;
1	2026-06-01 20:05:00	2026-06-01 23:00:00	31.2	50	88	245	420	1
2	2026-06-03 20:05:00	\N	\N	40	\N	200	\N	1
\.


COPY public.drives (id, start_date, end_date, start_km, end_km, start_rated_range_km, end_rated_range_km, car_id) FROM stdin;
1	2026-06-01 08:00:00	2026-06-01 08:30:00	12345.6	12370.1	390	360	1
\.


COPY public.positions (id, date, latitude, longitude, speed, power, odometer, ideal_battery_range_km, battery_level, car_id) FROM stdin;
1	2026-06-01 08:00:00	47.5	8.25	0	1	12345.6	400	80	1
\.

