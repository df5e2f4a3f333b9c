"""What packs hold and models use, learnt from their own trips, with how sure that is."""
