using IngestTools.Sandbox;

await using SandboxServer server = await SandboxServer.StartAsync(new SandboxOptions { LoggerFactory = LoggerFactory.Create(b => b.AddConsole()) });
Console.WriteLine(server.Uri);
await Task.Delay(Timeout.Infinite);
