Console.Error.WriteLine("ingest-scheduler: this version has no scheduler yet; loads run from the cmdlets of the module IngestTools.");
return 64;
