"""What models, data and the scripts share; imports none of them. Its rooms, from the ground up: words, values, console,
config, files, processes, scoring, drawing, detecting, inspection, report, training. A room imports only from rooms
before it.
"""
